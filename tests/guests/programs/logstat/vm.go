package main

import (
	"errors"
	"strconv"
	"strings"
)

// value is an integer or a string.
type value struct {
	number int64
	text   string
	isText bool
}

func boolean(b bool) value {
	if b {
		return value{number: 1}
	}
	return value{}
}

func (v value) truth() bool { return v.number != 0 || v.text != "" }

// compare orders two values; numbers come before strings.
func (v value) compare(w value) int {
	switch {
	case v.isText && w.isText:
		return strings.Compare(v.text, w.text)
	case v.isText:
		return 1
	case w.isText || v.number < w.number:
		return -1
	case v.number > w.number:
		return 1
	}
	return 0
}

type opcode int

const (
	opConstant opcode = iota
	opField
	opCall
	opPop
	opJumpIfTrue // jumps keep the value they test
	opJumpIfFalse
	opNot
	opNegate
	opEqual
	opNotEqual
	opContains
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opAdd
	opSubtract
	opMultiply
	opDivide
	opModulo
)

var opNames = []string{"constant", "field", "call", "pop", "jump-if-true", "jump-if-false", "not", "negate", "equal",
	"not-equal", "contains", "less", "less-equal", "greater", "greater-equal", "add", "subtract", "multiply", "divide", "modulo"}

type instruction struct {
	op      opcode
	operand int
}

type program struct {
	code      []instruction
	constants []value
}

var fields = []struct {
	name string
	get  func(r *request) value
}{
	{"line", func(r *request) value { return value{number: int64(r.line)} }},
	{"status", func(r *request) value { return value{number: r.status} }},
	{"bytes", func(r *request) value { return value{number: r.bytes} }},
	{"time", func(r *request) value { return value{number: r.micros} }},
	{"hour", func(r *request) value { return value{number: int64(r.at.Hour())} }},
	{"day", func(r *request) value { return value{number: int64(r.at.Day())} }},
	{"client", func(r *request) value { return value{text: r.client, isText: true} }},
	{"user", func(r *request) value { return value{text: r.user, isText: true} }},
	{"method", func(r *request) value { return value{text: r.method, isText: true} }},
	{"path", func(r *request) value { return value{text: r.path, isText: true} }},
	{"query", func(r *request) value { return value{text: r.query, isText: true} }},
	{"agent", func(r *request) value { return value{text: r.agent, isText: true} }},
}

var functions = []struct {
	name      string
	arguments int
	apply     func(args []value) (value, error)
}{
	{"len", 1, func(a []value) (value, error) { return value{number: int64(len(a[0].text))}, nil }},
	{"lower", 1, func(a []value) (value, error) { return value{text: strings.ToLower(a[0].text), isText: true}, nil }},
	{"prefix", 2, func(a []value) (value, error) { return boolean(strings.HasPrefix(a[0].text, a[1].text)), nil }},
	{"suffix", 2, func(a []value) (value, error) { return boolean(strings.HasSuffix(a[0].text, a[1].text)), nil }},
	{"int", 1, func(a []value) (value, error) {
		n, err := strconv.ParseInt(a[0].text, 10, 64)
		if err != nil {
			return value{}, errors.New("not a number: " + a[0].text)
		}
		return value{number: n}, nil
	}},
}

// run evaluates the program for one request.
func (p *program) run(r *request, stack []value) (value, error) {
	stack = stack[:0]
	for pc := 0; pc < len(p.code); pc++ {
		in := p.code[pc]
		top := len(stack) - 1
		switch in.op {
		case opConstant:
			stack = append(stack, p.constants[in.operand])
		case opField:
			stack = append(stack, fields[in.operand].get(r))
		case opCall:
			f := functions[in.operand]
			base := len(stack) - f.arguments
			result, err := f.apply(stack[base:])
			if err != nil {
				return value{}, errors.New("line " + strconv.Itoa(r.line) + ": " + err.Error())
			}
			stack = append(stack[:base], result)
		case opPop:
			stack = stack[:top]
		case opJumpIfTrue:
			if stack[top].truth() {
				pc = in.operand - 1
			}
		case opJumpIfFalse:
			if !stack[top].truth() {
				pc = in.operand - 1
			}
		case opNot:
			stack[top] = boolean(!stack[top].truth())
		case opNegate:
			stack[top] = value{number: -stack[top].number}
		default:
			result, err := binary(in.op, stack[top-1], stack[top])
			if err != nil {
				return value{}, errors.New("line " + strconv.Itoa(r.line) + ": " + err.Error())
			}
			stack = append(stack[:top-1], result)
		}
	}
	return stack[0], nil
}

func binary(op opcode, a, b value) (value, error) {
	switch op {
	case opEqual:
		return boolean(a == b), nil
	case opNotEqual:
		return boolean(a != b), nil
	case opContains:
		return boolean(strings.Contains(a.text, b.text)), nil
	case opLess:
		return boolean(a.compare(b) < 0), nil
	case opLessEqual:
		return boolean(a.compare(b) <= 0), nil
	case opGreater:
		return boolean(a.compare(b) > 0), nil
	case opGreaterEqual:
		return boolean(a.compare(b) >= 0), nil
	}
	if a.isText || b.isText {
		if op == opAdd && a.isText && b.isText {
			return value{text: a.text + b.text, isText: true}, nil
		}
		return value{}, errors.New("cannot " + opNames[op] + " strings")
	}
	switch op {
	case opAdd:
		return value{number: a.number + b.number}, nil
	case opSubtract:
		return value{number: a.number - b.number}, nil
	case opMultiply:
		return value{number: a.number * b.number}, nil
	}
	if b.number == 0 {
		return value{}, errors.New("division by zero")
	}
	if op == opDivide {
		return value{number: a.number / b.number}, nil
	}
	return value{number: a.number % b.number}, nil
}

// listing shows the program, one instruction per line.
func (p *program) listing() []string {
	var lines []string
	for i, in := range p.code {
		text := pad(strconv.Itoa(i), -3) + "  " + opNames[in.op]
		switch in.op {
		case opConstant:
			if c := p.constants[in.operand]; c.isText {
				text += " " + strconv.Quote(c.text)
			} else {
				text += " " + strconv.FormatInt(c.number, 10)
			}
		case opField:
			text += " " + fields[in.operand].name
		case opCall:
			text += " " + functions[in.operand].name
		case opJumpIfTrue, opJumpIfFalse:
			text += " " + strconv.Itoa(in.operand)
		}
		lines = append(lines, text)
	}
	return lines
}
