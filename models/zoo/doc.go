// Package zoo holds the models that Orrery ships: small ones that it trained
// itself, embedded in the program, each with the recipe that makes it again and
// a card that says what it learned and how well.
//
// It is no registry: Names is the list of the folders beside this file. Models
// that were pulled from a hub (models/hub) open by their names too. Each folder
// is a model directory that models.Load reads (config.json, model.safetensors,
// tokenizer.json) with recipe.json and card.json, and checkpoints/ where the
// recipe keeps some, exactly as `orrery train NAME` leaves it.
//
// Some were kept along their training too: Checkpoints(name) gives the steps,
// OpenCheckpoint(name, step) the model as it was then, as does
// Open("NAME@STEP").
//
// Read on from Open, which every command and cell goes through, then CardOf.
//
// # Errors
//
// A name that is neither shipped nor a directory is an *UnknownModelError that
// lists the shipped names, the nearest first, or, where it has the form
// OWNER/NAME, a *hub.NotPulledError that lists the pulled ones.
package zoo
