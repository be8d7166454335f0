// Package train makes the small models that Orrery ships: tasks whose every
// prompt has exact answers, the loss at the answers' positions, AdamW with a
// schedule, and a loop that can be stopped and resumed.
//
// It is not a general trainer: one process, whole batches in memory, prompts of
// one length per task, and in each the same number of answers, the tokens that
// must follow its last ones.
//
// A recipe may keep the weights of some steps, in float16 (CheckpointDir), and
// may train under interventions: edits of package models, made to a share of each
// batch's prompts.
//
// Read on from Recipe (everything that decides a training, as data), Task (the
// prompts and their answers), Split (which of them are held out) and Run (the
// loop). AdamW, Schedule, ClipNorm and AnswerLoss are the parts that it puts
// together.
//
// # Determinism
//
// A recipe gives the same bytes every time on the same kind of processor,
// whatever the number of threads, and however often the run was stopped: the
// split, the first weights and the order of the prompts follow from the seed
// alone, the batch of step s is a function of seed and s, and every sum is
// taken in a fixed order. Processors that take another kernel path (see package
// kernel) round differently and arrive at other weights of the same quality.
//
// # Errors
//
// A recipe that cannot be run, a directory that holds the state of another
// recipe and a loss that is no longer a number are returned as errors that name
// the field and its value. Stopping is not a failure of the run: it returns the
// context's error after the state has been saved.
package train
