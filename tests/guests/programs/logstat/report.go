package main

import (
	"bufio"
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pad fills s with spaces to the given width: at the end, or at the start if it is negative.
func pad(s string, width int) string {
	if width < 0 {
		return strings.Repeat(" ", max(-width-utf8.RuneCountInString(s), 0)) + s
	}
	return s + strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
}

// millis shows microseconds as milliseconds with two decimals, rounded half up.
func millis(micros int64) string {
	hundredths := (micros + 5) / 10
	rest := strconv.FormatInt(hundredths%100+100, 10)[1:]
	return strconv.FormatInt(hundredths/100, 10) + "." + rest
}

// percent shows part/whole as a percentage with one decimal.
func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	tenths := (part*2000/whole + 1) / 2
	return strconv.Itoa(tenths/10) + "." + strconv.Itoa(tenths%10) + "%"
}

func bytesText(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB"}
	tenths, unit := n*10, 0
	for tenths >= 10240 && unit+1 < len(units) {
		tenths /= 1024
		unit++
	}
	if unit == 0 {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatInt(tenths/10, 10) + "." + strconv.FormatInt(tenths%10, 10) + " " + units[unit]
}

// table writes rows in aligned columns; the first column is flush left, the others right.
func table(out *bufio.Writer, rows [][]string) {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		line := "  "
		for i, cell := range row {
			if i == 0 {
				line += pad(cell, widths[0])
			} else {
				line += "  " + pad(cell, -widths[i])
			}
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	out.WriteString("\n")
}

func title(out *bufio.Writer, text string) { out.WriteString(text + "\n") }

// ranked sorts keys by descending count; equal counts go by key.
func ranked[K cmp.Ordered](keys []K, count func(K) int) []K {
	slices.SortFunc(keys, func(a, b K) int {
		if c := cmp.Compare(count(b), count(a)); c != 0 {
			return c
		}
		return cmp.Compare(a, b)
	})
	return keys
}

func keys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func groupTable(out *bufio.Writer, name string, groups map[string]*group, top int) {
	rows := [][]string{{name, "requests", "errors", "bytes", "p50 ms", "p90 ms", "p99 ms", "max ms"}}
	for i, key := range ranked(keys(groups), func(k string) int { return groups[k].requests }) {
		if i == top {
			break
		}
		g := groups[key]
		rows = append(rows, []string{key, strconv.Itoa(g.requests), strconv.Itoa(g.errors), bytesText(g.bytes),
			millis(g.percentile(50)), millis(g.percentile(90)), millis(g.percentile(99)), millis(g.percentile(100))})
	}
	table(out, rows)
}

func countTable[K cmp.Ordered](out *bufio.Writer, counts map[K]int, show func(K) string, total int) {
	var rows [][]string
	for _, key := range keys(counts) {
		rows = append(rows, []string{show(key), strconv.Itoa(counts[key]), percent(counts[key], total)})
	}
	table(out, rows)
}

func histogram(out *bufio.Writer, hours [24]int) {
	const width = 40
	most := slices.Max(hours[:])
	for hour, n := range hours {
		bar := ""
		if most > 0 {
			bar = strings.Repeat("#", (n*width+most-1)/most)
		}
		line := "  " + pad(strconv.Itoa(hour), -2) + "h " + pad(strconv.Itoa(n), -5) + " " + bar
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	out.WriteString("\n")
}

func writeReport(out *bufio.Writer, t *totals, o options, filter *program) {
	if filter != nil {
		title(out, "Filter "+o.where)
		for _, line := range filter.listing() {
			out.WriteString("  " + line + "\n")
		}
		out.WriteString("\n")
	}

	title(out, "Summary")
	slices.Sort(t.skipped)
	skipped := strconv.Itoa(len(t.skipped))
	if len(t.skipped) > 0 {
		skipped += " (first: line " + strconv.Itoa(t.skipped[0]) + ")"
	}
	sessions, most, longest := t.sessions()
	table(out, [][]string{
		{"lines", strconv.Itoa(t.lines)},
		{"requests", strconv.Itoa(t.all.requests)},
		{"filtered out", strconv.Itoa(t.filtered)},
		{"not requests", skipped},
		{"bytes sent", bytesText(t.all.bytes)},
		{"server errors", percent(t.all.errors, t.all.requests)},
		{"clients", strconv.Itoa(len(t.clients))},
		{"sessions", strconv.Itoa(sessions)},
		{"most requests in one", strconv.Itoa(most)},
		{"longest", longest.String()},
	})

	plain := func(s string) string { return s }
	title(out, "Status codes")
	countTable(out, t.statuses, func(s int64) string { return strconv.FormatInt(s, 10) }, t.all.requests)
	title(out, "Methods")
	countTable(out, t.methods, plain, t.all.requests)
	title(out, "Agents")
	countTable(out, t.agents, plain, t.all.requests)
	title(out, "Days")
	countTable(out, t.days, plain, t.all.requests)
	title(out, "Routes")
	groupTable(out, "route", t.routes, o.top)
	title(out, "Clients")
	groupTable(out, "client", t.clients, o.top)
	title(out, "Hours")
	histogram(out, t.hours)
}
