// Package job runs the cells of one notebook, one at a time and in the order
// in which they were asked for.
//
// It is not a scheduler across notebooks and knows nothing of documents,
// outputs or the wire: a Task is a function, and every change of its state is
// reported to one callback.
//
// Reading order: Task and Queue (waiting, running, canceling), Throttle (not
// more often than a page can draw), Clock (time left).
//
// Errors: what a task returns decides its last state. nil is done; an error of
// a canceled task is canceled, which is not a failure and is not logged; any
// other error is failed. A panic becomes an *api.Error of code internal; its
// text and stack go to the log and not to the page.
package job
