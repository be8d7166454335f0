// Package modeltest helps to test models and what reads or changes them: a
// comparer that no NaN passes, the way to the reference data, random models of
// the supported families, a circuit with a known answer, and the properties
// that every model must have.
//
// It is for tests only and is no place for expected values: those lie in
// testdata folders or in the reference folder, and never come from this
// project's own code. Start with Close and Suite. A package whose tests read the
// reference data says in TestMain, with an Account, which files it owes; a value
// of them that no test reads, and for which no reason stands there, fails it.
//
// Helpers report through testing.TB; none returns an error. Tests that need the
// reference folder are skipped where it is absent, with that as the reason.
package modeltest
