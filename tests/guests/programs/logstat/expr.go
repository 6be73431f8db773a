package main

import (
	"errors"
	"strconv"
	"strings"
)

// The filter language. Values are integers and strings; true is 1, false is 0.
//
//	expr    = expr op expr | "!" expr | "-" expr | "(" expr ")" | number | "string" | field
//	        | function "(" expr {"," expr} ")"
//	op      = "||" "&&" "==" "!=" "<" "<=" ">" ">=" "~" "+" "-" "*" "/" "%"
//	field   = line status bytes time hour day client user method path query agent
//	function = len(s) lower(s) prefix(s, start) suffix(s, end) int(s)
//
// "a ~ b" holds if the string a contains b. || and && evaluate their right side only if needed.
// The compiler emits code for the stack machine in vm.go in one pass over the tokens.

type tokenKind int

const (
	tokenEnd tokenKind = iota
	tokenNumber
	tokenString
	tokenName
	tokenSymbol
)

type token struct {
	kind   tokenKind
	text   string
	number int64
	at     int
}

var symbols = []string{"||", "&&", "==", "!=", "<=", ">=", "<", ">", "~", "+", "-", "*", "/", "%", "!", "(", ")", ","}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func tokenize(source string) ([]token, error) {
	var tokens []token
	for at := 0; at < len(source); {
		start := at
		c := source[at]
		switch {
		case c == ' ' || c == '\t':
			at++
			continue
		case isDigit(c):
			for at < len(source) && isDigit(source[at]) {
				at++
			}
			n, err := strconv.ParseInt(source[start:at], 10, 64)
			if err != nil {
				return nil, errorAt(start, "number out of range")
			}
			tokens = append(tokens, token{tokenNumber, source[start:at], n, start})
		case isLetter(c):
			for at < len(source) && (isLetter(source[at]) || isDigit(source[at])) {
				at++
			}
			tokens = append(tokens, token{tokenName, source[start:at], 0, start})
		case c == '"':
			end := strings.IndexByte(source[at+1:], '"')
			if end < 0 {
				return nil, errorAt(start, "unterminated string")
			}
			at += end + 2
			tokens = append(tokens, token{tokenString, source[start+1 : at-1], 0, start})
		default:
			symbol := ""
			for _, s := range symbols {
				if strings.HasPrefix(source[at:], s) {
					symbol = s
					break
				}
			}
			if symbol == "" {
				return nil, errorAt(start, "unexpected character")
			}
			at += len(symbol)
			tokens = append(tokens, token{tokenSymbol, symbol, 0, start})
		}
	}
	return append(tokens, token{tokenEnd, "the end", 0, len(source)}), nil
}

func errorAt(at int, message string) error {
	return errors.New(message + " at column " + strconv.Itoa(at+1))
}

// compiler holds the state of a single pass: the tokens ahead and the code behind.
type compiler struct {
	tokens []token
	out    program
}

func compile(source string) (*program, error) {
	tokens, err := tokenize(source)
	if err != nil {
		return nil, err
	}
	c := compiler{tokens: tokens}
	if err := c.expression(1); err != nil {
		return nil, err
	}
	if t := c.tokens[0]; t.kind != tokenEnd {
		return nil, errorAt(t.at, "unexpected "+t.text)
	}
	return &c.out, nil
}

func (c *compiler) next() token {
	t := c.tokens[0]
	if t.kind != tokenEnd {
		c.tokens = c.tokens[1:]
	}
	return t
}

func (c *compiler) expect(symbol string) error {
	t := c.next()
	if t.kind != tokenSymbol || t.text != symbol {
		return errorAt(t.at, "expected "+symbol+", found "+t.text)
	}
	return nil
}

func (c *compiler) emit(op opcode, operand int) int {
	c.out.code = append(c.out.code, instruction{op, operand})
	return len(c.out.code) - 1
}

func (c *compiler) constant(v value) {
	for i, known := range c.out.constants {
		if known == v {
			c.emit(opConstant, i)
			return
		}
	}
	c.out.constants = append(c.out.constants, v)
	c.emit(opConstant, len(c.out.constants)-1)
}

type binaryOperator struct {
	precedence int
	op         opcode
}

var binaryOperators = map[string]binaryOperator{
	"||": {1, opJumpIfTrue}, "&&": {2, opJumpIfFalse},
	"==": {3, opEqual}, "!=": {3, opNotEqual}, "~": {3, opContains},
	"<": {4, opLess}, "<=": {4, opLessEqual}, ">": {4, opGreater}, ">=": {4, opGreaterEqual},
	"+": {5, opAdd}, "-": {5, opSubtract},
	"*": {6, opMultiply}, "/": {6, opDivide}, "%": {6, opModulo},
}

// expression compiles everything that binds at least as tightly as the given precedence.
func (c *compiler) expression(least int) error {
	if err := c.operand(); err != nil {
		return err
	}
	for {
		t := c.tokens[0]
		operator, found := binaryOperators[t.text]
		if t.kind != tokenSymbol || !found || operator.precedence < least {
			return nil
		}
		c.next()
		shortCircuit := operator.op == opJumpIfTrue || operator.op == opJumpIfFalse
		jump := 0
		if shortCircuit {
			jump = c.emit(operator.op, 0)
			c.emit(opPop, 0)
		}
		if err := c.expression(operator.precedence + 1); err != nil {
			return err
		}
		if shortCircuit {
			c.out.code[jump].operand = len(c.out.code)
		} else {
			c.emit(operator.op, 0)
		}
	}
}

func (c *compiler) operand() error {
	t := c.next()
	switch t.kind {
	case tokenNumber:
		c.constant(value{number: t.number})
		return nil
	case tokenString:
		c.constant(value{text: t.text, isText: true})
		return nil
	case tokenName:
		if next := c.tokens[0]; next.kind == tokenSymbol && next.text == "(" {
			return c.call(t)
		}
		for i, f := range fields {
			if f.name == t.text {
				c.emit(opField, i)
				return nil
			}
		}
		return errorAt(t.at, "no field "+t.text)
	case tokenSymbol:
		switch t.text {
		case "!", "-":
			const tightest = 7
			if err := c.expression(tightest); err != nil {
				return err
			}
			if t.text == "!" {
				c.emit(opNot, 0)
			} else {
				c.emit(opNegate, 0)
			}
			return nil
		case "(":
			if err := c.expression(1); err != nil {
				return err
			}
			return c.expect(")")
		}
	}
	return errorAt(t.at, "expected a value, found "+t.text)
}

func (c *compiler) call(name token) error {
	c.next() // the parenthesis
	arguments := 0
	for {
		if err := c.expression(1); err != nil {
			return err
		}
		arguments++
		if t := c.tokens[0]; t.kind != tokenSymbol || t.text != "," {
			break
		}
		c.next()
	}
	for i, f := range functions {
		if f.name != name.text {
			continue
		}
		if f.arguments != arguments {
			return errorAt(name.at, f.name+" takes "+strconv.Itoa(f.arguments)+" arguments")
		}
		c.emit(opCall, i)
		return c.expect(")")
	}
	return errorAt(name.at, "no function "+name.text)
}
