package main

import (
	"strconv"
	"strings"
	"time"
)

// request is one line of the log.
type request struct {
	line   int
	client string
	user   string
	at     time.Time
	method string
	path   string // without the query
	query  string
	status int64
	bytes  int64
	agent  string
	micros int64
}

const timeLayout = "02/Jan/2006:15:04:05 -0700"

// cut splits off the text before sep; a missing separator is reported by ok.
func cut(s *string, sep string) (field string, ok bool) {
	field, *s, ok = strings.Cut(*s, sep)
	return field, ok
}

// parseLine reads a line of the combined log format; ok is false for anything else.
func parseLine(line string, number int) (r request, ok bool) {
	rest := line
	r.line = number
	fields := []struct {
		into *string
		sep  string
	}{
		{&r.client, " "}, {nil, " "}, {&r.user, " ["},
	}
	for _, f := range fields {
		text, found := cut(&rest, f.sep)
		if !found {
			return r, false
		}
		if f.into != nil {
			*f.into = text
		}
	}
	stamp, found := cut(&rest, `] "`)
	if !found {
		return r, false
	}
	at, err := time.Parse(timeLayout, stamp)
	if err != nil {
		return r, false
	}
	r.at = at.UTC()

	call, found := cut(&rest, `" `)
	if !found {
		return r, false
	}
	parts := strings.Fields(call)
	if len(parts) != 3 || !strings.HasPrefix(parts[2], "HTTP/") {
		return r, false
	}
	r.method = parts[0]
	r.path, r.query, _ = strings.Cut(parts[1], "?")

	numbers, found := cut(&rest, ` "`)
	if !found {
		return r, false
	}
	status, size, _ := strings.Cut(numbers, " ")
	if _, found = cut(&rest, `" "`); !found { // the referrer
		return r, false
	}
	if r.agent, found = cut(&rest, `" `); !found {
		return r, false
	}
	if r.status, err = strconv.ParseInt(status, 10, 64); err != nil {
		return r, false
	}
	if r.bytes, err = strconv.ParseInt(size, 10, 64); err != nil {
		return r, false
	}
	r.micros, err = strconv.ParseInt(rest, 10, 64)
	return r, err == nil
}

// route replaces the parts of a path that look like identifiers, so that /users/7 and
// /users/8 count as the same route.
func route(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		name, extension, _ := strings.Cut(part, ".")
		if _, err := strconv.Atoi(name); err == nil {
			parts[i] = ":id"
			if extension != "" {
				parts[i] += "." + extension
			}
		}
	}
	return strings.Join(parts, "/")
}

// agentName is the part of a user agent that people recognise.
func agentName(agent string) string {
	for _, name := range []string{"Firefox", "Safari", "curl"} {
		if strings.Contains(agent, name) {
			return name
		}
	}
	name, _, _ := strings.Cut(agent, "/")
	return name
}
