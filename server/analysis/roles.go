package analysis

import (
	"strconv"
	"strings"

	"orrery/models/tokenizer"
	"orrery/viz"
)

// TokenRoles reads the parts of an arithmetic prompt off its tokens: the
// integers before and behind the first operator are the operands, however
// many tokens they take; a special token in front is the BOS; "=" is equals.
// A prompt of another form gets no roles but BOS.
func TokenRoles(t *tokenizer.Tokenizer, ids []int) []viz.TokenRole {
	roles := make([]viz.TokenRole, len(ids))
	if t == nil {
		return roles
	}
	operator, equals, operands := false, false, 0
	for i, id := range ids {
		text := strings.TrimSpace(t.Label(id))
		_, err := strconv.Atoi(text)
		switch {
		case t.IsSpecial(id):
			if bos, ok := t.BOS(); ok && bos == id {
				roles[i] = viz.RoleBOS
			}
		case err == nil && !strings.ContainsAny(text, "+-"):
			switch {
			case equals:
				roles[i] = viz.RoleAnswer
			case operator:
				roles[i] = viz.RoleOperandB
				operands |= 2
			default:
				roles[i] = viz.RoleOperandA
				operands |= 1
			}
		case text == "=":
			roles[i], equals = viz.RoleEquals, true
		case !operator && text != "" && strings.Contains("+-−*×/÷", text):
			roles[i], operator = viz.RoleOperator, true
		}
	}
	if operands == 3 && operator {
		return roles
	}
	for i := range roles {
		if roles[i] != viz.RoleBOS {
			roles[i] = viz.RoleNone
		}
	}
	return roles
}
