package analysis

import (
	"orrery/ablate"
	"orrery/models/tokenizer"
	"orrery/viz"
)

// TokenRoles reads the parts of an arithmetic prompt off its tokens, however
// many operands it has and of however many tokens (see ablate.Read); a special
// token in front is the BOS. A prompt of another form gets no roles but BOS.
func TokenRoles(t *tokenizer.Tokenizer, ids []int) []viz.TokenRole {
	if t == nil {
		return make([]viz.TokenRole, len(ids))
	}
	words := make([]string, len(ids))
	for i, id := range ids {
		if !t.IsSpecial(id) {
			words[i] = t.Label(id)
		}
	}
	r, _ := ablate.Read(words)
	if bos, ok := t.BOS(); ok {
		for i, id := range ids {
			if id == bos {
				r.Roles[i] = ablate.Role{Kind: ablate.BOS}
			}
		}
	}
	return tints(r.Roles, len(ids))
}

// vizRoles are the tints of a prompt's tokens.
func vizRoles(p ablate.Prompt) []viz.TokenRole { return tints(p.Roles, len(p.IDs)) }

// operandRoles are the tints of operands; those behind the third are as the
// third.
var operandRoles = [...]viz.TokenRole{viz.RoleOperandA, viz.RoleOperandB, viz.RoleOperandC}

// tints turns roles into tints of n tokens.
func tints(roles []ablate.Role, n int) []viz.TokenRole {
	out := make([]viz.TokenRole, n)
	for i, r := range roles {
		switch r.Kind {
		case ablate.BOS:
			out[i] = viz.RoleBOS
		case ablate.Operator:
			out[i] = viz.RoleOperator
		case ablate.Equals:
			out[i] = viz.RoleEquals
		case ablate.Answer:
			out[i] = viz.RoleAnswer
		case ablate.Operand:
			out[i] = operandRoles[min(r.Index, len(operandRoles)-1)]
		}
	}
	return out
}

// Tints are the tints of a prompt's tokens for chips: its own roles, or where it
// has none, what its tokens say.
func Tints(t *tokenizer.Tokenizer, p ablate.Prompt) []viz.TokenRole {
	if len(p.Roles) == len(p.IDs) {
		return vizRoles(p)
	}
	return TokenRoles(t, p.IDs)
}
