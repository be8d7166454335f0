package ablate

import "context"

// progressKey is the context key of a report.
type progressKey struct{}

// WithProgress returns a context in which Prompts says how far it is: asking a
// large model which of its prompts it gets right takes a while. report gets how
// much is done of how much, counted in unit, and must return soon.
func WithProgress(ctx context.Context, report func(done, total int, unit string)) context.Context {
	return context.WithValue(ctx, progressKey{}, report)
}

// progress says how far a set is: the prompts that it has of those wanted, or
// those tried of all there are, whichever is nearer to the end.
func (s *PromptSet) progress(ctx context.Context) {
	report, ok := ctx.Value(progressKey{}).(func(done, total int, unit string))
	if !ok || s.Options.Keep == KeepAll {
		return
	}
	if n := s.Options.N; n > 0 && len(s.Prompts)*s.Candidates >= s.Tried*n {
		report(len(s.Prompts), n, "prompts")
		return
	}
	report(s.Tried, s.Candidates, "prompts tried")
}
