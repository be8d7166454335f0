// Package analysis is the catalogue: one file an analysis, where models,
// probe and ablate meet viz. From one declaration (Analysis) come the
// Starlark builtin with its keyword arguments, completion and hover text, and
// the command line's list.
//
// To add an analysis, write one file with a function that returns its
// Analysis and name it in All. Its Run gets arguments that Bind has checked,
// emits the figure with its axes first, then parts as they are computed, and
// returns the finished figure with badges, caption and provenance.
//
// # Metrics
//
// Every analysis that changes runs measures them by any of ablate.Metrics or by a
// cell's function, of the answer r of the run that gives values (the right answer of
// single prompts; in activation_patching, integrated_gradients and the analyses of
// edges the clean one) against the other answer r′. normalise shows an effect as a
// ratio of means, 0 without the edit, and is refused, before a figure shows, where
// the means hardly differ (ablate.MinDenominator):
//
//	                      metrics                        an effect of 1 is
//	activation_patching   all                            the other run
//	causal_mediation      all, and its own measures,     the source run
//	                      which are not normalised
//	effects               all                            the source run
//	knockout              all; logit_diff where the      all that the view shows
//	                      prompts come with an r′        knocked out together
//	causal_trace          as knockout                    the clean run
//	integrated_gradients  those with a derivative:       the other run
//	                      logit, logit_diff, prob,
//	                      logit_change, logprob, loss,
//	                      kl; no functions
//	edge_attribution      as integrated_gradients        the other run; of a circuit,
//	                                                     the whole model
//	edge_patching         all                            the other run
//	path_patching         all                            the corrupted run
//	patch_lens (measure)  all                            the clean run, as "restored"
//	cama                  as knockout, and faithfulness, not normalised: faithfulness
//	                      which is a share already       is its own share
//
// Figures show the mean over pairs or prompts, say n and seed, and keep its standard
// error and the numbers of single pairs (each). Lines and bars draw the interval of
// 95 %, which every export names (viz.Interval): Wilson's of shares of right answers,
// else Student's t times the standard error. A "±" in words is one standard error.
//
// # First numbers
//
// A reader should see a number within 200 ms. So Run emits first what needs least: the
// model without edits, a ceiling that needs no fit, an estimate before what is exact.
// Where every number of a figure waits for a long step, a first look stands there until
// then: the same numbers of fewer prompts, which the subtitle names with their count;
// nothing of it is left in the result. TestFirstNumberComesEarly counts the work that
// comes before. Calls of one notebook share the prompts that they begin with (Shelf).
//
// # Keys
//
// Key names a call by the content of its arguments, so that its figure can be kept.
// That holds only while Run is a function of them: it may not read a clock, a file,
// or a random number that no argument seeds. An Analysis that reads files says so
// (ReadsFiles). TestRunReadsNothingElse holds which packages this one and those
// below it may import.
//
// # Going on
//
// Resume runs a call that was cut short before from what it left (ablate.Unfinished).
// Every analysis that sweeps goes on, since all sweeps do (ablate.Resume), pair by
// pair of each cell: activation_patching, causal_mediation, effects, knockout,
// causal_trace, edge_patching, path_patching, helix_patch, head_types, neuron_fits,
// cama, and the exact patches of edge_attribution and integrated_gradients. Figures
// say how much was kept; their reports count what was computed. What such a call does
// besides begins again: drawing prompts, runs without edits, cama's means, gradients.
//
// So do the analyses without a sweep. Most are one run a prompt, and with the shipped
// models a second of work at most. Those that take seconds are tuned_lens, whose steps
// of training are no parts, grokking, which analyses some dozen checkpoints, and the
// projections of fourier_filter and helix, one run of all prompts each.
//
// It rests on what Key does, and on one thing more: the sweeps of a call come in one
// order.
//
// The package knows no HTTP and no notebooks. Errors name the offending
// value; those that know a next step implement interface{ Hint() string }.
package analysis
