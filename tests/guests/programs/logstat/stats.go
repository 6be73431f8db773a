package main

import (
	"slices"
	"time"
)

const sessionGap = 30 * time.Minute

// group collects what the report shows for a route, a client or an agent.
type group struct {
	requests int
	errors   int // status 500 and up
	bytes    int64
	micros   []int64
}

type visit struct {
	at   time.Time
	line int
}

// totals is what a worker knows about its lines. Everything in it merges in any order.
type totals struct {
	lines    int
	skipped  []int // numbers of lines that are not requests
	filtered int
	all      group
	statuses map[int64]int
	methods  map[string]int
	agents   map[string]int
	routes   map[string]*group
	clients  map[string]*group
	hours    [24]int
	days     map[string]int
	visits   map[string][]visit
}

func newTotals() *totals {
	return &totals{
		statuses: map[int64]int{},
		methods:  map[string]int{},
		agents:   map[string]int{},
		routes:   map[string]*group{},
		clients:  map[string]*group{},
		days:     map[string]int{},
		visits:   map[string][]visit{},
	}
}

func (g *group) add(r *request) {
	g.requests++
	g.bytes += r.bytes
	g.micros = append(g.micros, r.micros)
	if r.status >= 500 {
		g.errors++
	}
}

func (g *group) merge(other *group) {
	g.requests += other.requests
	g.errors += other.errors
	g.bytes += other.bytes
	g.micros = append(g.micros, other.micros...)
}

// percentile is the smallest time that at least p percent of the requests do not exceed.
func (g *group) percentile(p int) int64 {
	if len(g.micros) == 0 {
		return 0
	}
	slices.Sort(g.micros)
	rank := (p*len(g.micros) + 99) / 100
	return g.micros[max(rank, 1)-1]
}

func groupFor[K comparable](groups map[K]*group, key K) *group {
	g := groups[key]
	if g == nil {
		g = &group{}
		groups[key] = g
	}
	return g
}

func (t *totals) addBatch(b batch, filter *program) error {
	stack := make([]value, 0, 16)
	for i, line := range b.lines {
		t.lines++
		number := b.first + i + 1
		r, ok := parseLine(line, number)
		if !ok {
			t.skipped = append(t.skipped, number)
			continue
		}
		if filter != nil {
			selected, err := filter.run(&r, stack)
			if err != nil {
				return err
			}
			if !selected.truth() {
				t.filtered++
				continue
			}
		}
		t.add(&r)
	}
	return nil
}

func (t *totals) add(r *request) {
	t.all.add(r)
	t.statuses[r.status]++
	t.methods[r.method]++
	t.agents[agentName(r.agent)]++
	groupFor(t.routes, r.method+" "+route(r.path)).add(r)
	groupFor(t.clients, r.client).add(r)
	t.hours[r.at.Hour()]++
	t.days[r.at.Format("2006-01-02")]++
	t.visits[r.client] = append(t.visits[r.client], visit{r.at, r.line})
}

func mergeCounts[K comparable](into, from map[K]int) {
	for key, n := range from {
		into[key] += n
	}
}

func mergeGroups(into, from map[string]*group) {
	for key, g := range from {
		groupFor(into, key).merge(g)
	}
}

func (t *totals) merge(other *totals) {
	t.lines += other.lines
	t.skipped = append(t.skipped, other.skipped...)
	t.filtered += other.filtered
	t.all.merge(&other.all)
	mergeCounts(t.statuses, other.statuses)
	mergeCounts(t.methods, other.methods)
	mergeCounts(t.agents, other.agents)
	mergeGroups(t.routes, other.routes)
	mergeGroups(t.clients, other.clients)
	for i, n := range other.hours {
		t.hours[i] += n
	}
	mergeCounts(t.days, other.days)
	for client, visits := range other.visits {
		t.visits[client] = append(t.visits[client], visits...)
	}
}

// sessions splits each client's visits where it paused; it returns the number of sessions, the
// most requests in one, and the longest from its first to its last request.
func (t *totals) sessions() (count, most int, longest time.Duration) {
	for _, visits := range t.visits {
		slices.SortFunc(visits, func(a, b visit) int {
			if c := a.at.Compare(b.at); c != 0 {
				return c
			}
			return a.line - b.line
		})
		start := 0
		for i := range visits {
			if i > 0 && visits[i].at.Sub(visits[i-1].at) > sessionGap {
				start = i
			}
			if start == i {
				count++
			}
			most = max(most, i-start+1)
			longest = max(longest, visits[i].at.Sub(visits[start].at))
		}
	}
	return count, most, longest
}
