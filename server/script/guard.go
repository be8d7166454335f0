package script

import (
	"strconv"

	"go.starlark.net/syntax"
)

// The builtins that stand for operations which may ask for any amount of
// memory in one step. No cell can spell them.
const (
	guardPlus    = "·+"
	guardGrow    = "·+="
	guardTimes   = "·*"
	guardPercent = "·%"
	guardMethod  = "·."
)

// guard rewrites x + y, x * y, x % y and the methods join, replace and format
// of strings into calls of builtins that look at the size of the result first.
// x += y stays what it is, since it changes a list in place; only y is looked
// at. Positions stay those of the operators.
func guard(f *syntax.File) {
	guardStmts(f.Stmts)
}

func guardStmts(stmts []syntax.Stmt) {
	for _, s := range stmts {
		switch s := s.(type) {
		case *syntax.AssignStmt:
			s.LHS, s.RHS = guardExpr(s.LHS), guardExpr(s.RHS)
			if s.Op == syntax.PLUS_EQ && !smallNumber(s.RHS) {
				s.RHS = guardCall(guardGrow, s.OpPos, s.RHS)
			}
			id, plain := unparen(s.LHS).(*syntax.Ident)
			if name := guardOf(s.Op, s.RHS, s.RHS); plain && name != "" {
				again := &syntax.Ident{NamePos: id.NamePos, Name: id.Name}
				s.RHS, s.Op = guardCall(name, s.OpPos, again, s.RHS), syntax.EQ
			}
		case *syntax.DefStmt:
			guardList(s.Params)
			guardStmts(s.Body)
		case *syntax.ExprStmt:
			s.X = guardExpr(s.X)
		case *syntax.IfStmt:
			s.Cond = guardExpr(s.Cond)
			guardStmts(s.True)
			guardStmts(s.False)
		case *syntax.ForStmt:
			s.Vars, s.X = guardExpr(s.Vars), guardExpr(s.X)
			guardStmts(s.Body)
		case *syntax.WhileStmt:
			s.Cond = guardExpr(s.Cond)
			guardStmts(s.Body)
		case *syntax.ReturnStmt:
			s.Result = guardExpr(s.Result)
		}
	}
}

func guardList(list []syntax.Expr) {
	for i := range list {
		list[i] = guardExpr(list[i])
	}
}

// guardExpr rewrites inside x and returns what takes its place.
func guardExpr(x syntax.Expr) syntax.Expr {
	switch x := x.(type) {
	case *syntax.BinaryExpr:
		x.X = guardExpr(x.X)
		if x.Op == syntax.EQ { // a keyword argument: its left side is a name
			x.Y = guardExpr(x.Y)
			return x
		}
		x.Y = guardExpr(x.Y)
		if name := guardOf(x.Op, x.X, x.Y); name != "" {
			return guardCall(name, x.OpPos, x.X, x.Y)
		}
	case *syntax.CallExpr:
		if dot, ok := x.Fn.(*syntax.DotExpr); ok && (dot.Name.Name == "join" || dot.Name.Name == "replace" || dot.Name.Name == "format") {
			name := &syntax.Literal{Token: syntax.STRING, TokenPos: dot.Name.NamePos, Raw: strconv.Quote(dot.Name.Name), Value: dot.Name.Name}
			x.Fn = guardCall(guardMethod, dot.Dot, guardExpr(dot.X), name)
		} else {
			x.Fn = guardExpr(x.Fn)
		}
		guardList(x.Args)
	case *syntax.ParenExpr:
		x.X = guardExpr(x.X)
	case *syntax.UnaryExpr:
		if x.X != nil {
			x.X = guardExpr(x.X)
		}
	case *syntax.CondExpr:
		x.Cond, x.True, x.False = guardExpr(x.Cond), guardExpr(x.True), guardExpr(x.False)
	case *syntax.DotExpr:
		x.X = guardExpr(x.X)
	case *syntax.IndexExpr:
		x.X, x.Y = guardExpr(x.X), guardExpr(x.Y)
	case *syntax.SliceExpr:
		x.X = guardExpr(x.X)
		if x.Lo != nil {
			x.Lo = guardExpr(x.Lo)
		}
		if x.Hi != nil {
			x.Hi = guardExpr(x.Hi)
		}
		if x.Step != nil {
			x.Step = guardExpr(x.Step)
		}
	case *syntax.ListExpr:
		guardList(x.List)
	case *syntax.TupleExpr:
		guardList(x.List)
	case *syntax.DictExpr:
		guardList(x.List)
	case *syntax.DictEntry:
		x.Key, x.Value = guardExpr(x.Key), guardExpr(x.Value)
	case *syntax.LambdaExpr:
		guardList(x.Params)
		x.Body = guardExpr(x.Body)
	case *syntax.Comprehension:
		x.Body = guardExpr(x.Body)
		for _, c := range x.Clauses {
			switch c := c.(type) {
			case *syntax.ForClause:
				c.Vars, c.X = guardExpr(c.Vars), guardExpr(c.X)
			case *syntax.IfClause:
				c.Cond = guardExpr(c.Cond)
			}
		}
	}
	return x
}

// guardOf returns the builtin that stands for an operator, "" where none is
// needed: what is added to a number, or multiplied by a float, is no list.
func guardOf(op syntax.Token, x, y syntax.Expr) string {
	switch op {
	case syntax.PLUS:
		if smallNumber(x) || smallNumber(y) {
			return ""
		}
		return guardPlus
	case syntax.STAR, syntax.STAR_EQ:
		if keepsSize(x) || keepsSize(y) {
			return ""
		}
		return guardTimes
	case syntax.PERCENT, syntax.PERCENT_EQ:
		if smallNumber(x) {
			return ""
		}
		return guardPercent
	}
	return ""
}

func smallNumber(x syntax.Expr) bool { return numberUpTo(x, 4) }

// keepsSize reports a factor that no list grows by. Even 2 is not one: a loop
// doubles a list beyond any bound between two looks at the heap.
func keepsSize(x syntax.Expr) bool { return numberUpTo(x, 1) }

// numberUpTo reports a literal that is an int up to most, or any float.
func numberUpTo(x syntax.Expr, most int64) bool {
	lit, ok := unparen(x).(*syntax.Literal)
	if !ok {
		return false
	}
	switch v := lit.Value.(type) {
	case float64:
		return true
	case int64:
		return v <= most
	}
	return false
}

func guardCall(name string, at syntax.Position, args ...syntax.Expr) *syntax.CallExpr {
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: at, Name: name}, Lparen: at, Args: args, Rparen: at}
}
