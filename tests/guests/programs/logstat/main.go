// logstat - a report about web server logs, computed by a pool of goroutines.
//
// Usage: logstat.wasm [-where EXPR] [-top N] [-workers N] FILE...
//
// FILE is in the combined log format with the response time in microseconds as a last field.
// EXPR selects requests, for example
//
//	-where 'status >= 500 && path ~ "/products" || time > 80000'
//
// See expr.go for the language. The result does not depend on the number of workers.
//
// Exit status: 0 done, 1 a file cannot be read or EXPR fails, 2 wrong usage.
//
// The fmt package is left out to keep the module small.
package main

import (
	"bufio"
	"errors"
	"os"
	"strconv"
	"sync"
)

const batchSize = 128

// batch is a run of lines, numbered so that results can be put back in order.
type batch struct {
	first int
	lines []string
}

type options struct {
	where   string
	top     int
	workers int
	files   []string
}

func parseOptions(args []string) (options, error) {
	o := options{top: 5, workers: 4}
	for len(args) > 0 && len(args[0]) > 1 && args[0][0] == '-' {
		if len(args) < 2 {
			return o, errors.New("option " + args[0] + " needs a value")
		}
		name, value := args[0], args[1]
		args = args[2:]
		var err error
		switch name {
		case "-where":
			o.where = value
		case "-top":
			o.top, err = strconv.Atoi(value)
		case "-workers":
			o.workers, err = strconv.Atoi(value)
		default:
			return o, errors.New("unknown option " + name)
		}
		if err != nil || o.top < 1 || o.workers < 1 {
			return o, errors.New("bad value for " + name)
		}
	}
	o.files = args
	if len(args) == 0 {
		return o, errors.New("no file given")
	}
	return o, nil
}

// readLines sends the lines of all files in batches, then closes the channel.
func readLines(files []string, out chan<- batch) error {
	defer close(out)
	number := 0
	current := batch{}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		scanner := bufio.NewScanner(file)
		for scanner.Scan() {
			current.lines = append(current.lines, scanner.Text())
			number++
			if len(current.lines) == batchSize {
				out <- current
				current = batch{first: number}
			}
		}
		err = scanner.Err()
		file.Close()
		if err != nil {
			return err
		}
	}
	if len(current.lines) > 0 {
		out <- current
	}
	return nil
}

// analyse runs the pipeline: one reader, many workers with totals of their own, one merge.
func analyse(o options, filter *program) (*totals, error) {
	batches := make(chan batch, o.workers)
	results := make(chan *totals)
	failures := make(chan error, o.workers+1)

	go func() {
		if err := readLines(o.files, batches); err != nil {
			failures <- err
		}
	}()
	var workers sync.WaitGroup
	for range o.workers {
		workers.Add(1)
		go func() {
			defer workers.Done()
			mine := newTotals()
			for b := range batches {
				if err := mine.addBatch(b, filter); err != nil {
					failures <- err
					for range batches { // let the reader finish
					}
					break
				}
			}
			results <- mine
		}()
	}
	go func() {
		workers.Wait()
		close(results)
	}()

	all := newTotals()
	for part := range results {
		all.merge(part)
	}
	select {
	case err := <-failures:
		return nil, err
	default:
		return all, nil
	}
}

func fail(status int, message string) {
	os.Stderr.WriteString("logstat: " + message + "\n")
	os.Exit(status)
}

func main() {
	o, err := parseOptions(os.Args[1:])
	if err != nil {
		fail(2, err.Error()+"\nusage: logstat [-where EXPR] [-top N] [-workers N] FILE...")
	}
	var filter *program
	if o.where != "" {
		if filter, err = compile(o.where); err != nil {
			fail(2, "bad expression: "+err.Error())
		}
	}
	all, err := analyse(o, filter)
	if err != nil {
		fail(1, err.Error())
	}
	out := bufio.NewWriter(os.Stdout)
	writeReport(out, all, o, filter)
	if err := out.Flush(); err != nil {
		fail(1, err.Error())
	}
}
