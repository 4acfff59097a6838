package check

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/core"
)

// InPython returns the report in the words of the Python SDK, for an author who does not use
// package core, contexts or goroutines. Names of checks and statuses do not change.
func (r Report) InPython() Report {
	r.Results = slices.Clone(r.Results)
	for i := range r.Results {
		result := &r.Results[i]
		for _, text := range []*string{&result.Checked, &result.Found, &result.Remedy, &result.Reason} {
			*text = inPython(*text)
		}
		result.Notes = slices.Clone(result.Notes)
		for j, note := range result.Notes {
			result.Notes[j] = inPython(note)
		}
	}
	return r
}

// pythonErrors are the errors of package core with their names in Python.
var pythonErrors = map[error]string{
	core.ErrShape: "ShapeError", core.ErrNonFinite: "NonFiniteError", core.ErrTooShort: "TooShortError",
	core.ErrOption: "OptionError",
	core.ErrLabel:  "LabelError", core.ErrUnavailable: "UnavailableError", core.ErrUnknown: "UnknownError",
}

// pythonPhrases are phrases of the checks, longer ones before their parts, each followed by that for Python.
var pythonPhrases = []string{
	"return one of the errors of package core, wrapped by %w", "raise one of the errors of koopbench_plugin",
	"wrap the error of package core that says why the input cannot be used, by %w",
	"raise the error of koopbench_plugin that says why the input cannot be used",
	"no panic may leave it; return an error of package core where the input cannot be used",
	"raise an error of koopbench_plugin if the input cannot be used; any other exception counts as a crash",
	"return ctx.Err(), alone or wrapped by %w", "call training.check() in every step of a loop, and let Cancelled pass",
	"begin with: if err := ctx.Err(); err != nil { return …, err }", "begin with training.check()",
	"give an error of package core", "raise an error of koopbench_plugin", "an error of package core",
	"an error of koopbench_plugin",
	"implement core.Saver, or declare neither", "add save() to what fit gives, or take load out of the class",
	"implement the loader of the kind, or declare neither",
	"add load(saved) to the class, or take save out of what fit gives",
	"the ability Saver", "the ability Saver (save and load)",
	"the ability Spectral", "the ability Spectral (eigenvalues and left_eigenfunctions)",
	"the ability Forecaster", "the ability Forecaster (forecast)",
	"what Training.Validate says", "the error that says what is wrong with the data",
	"core.Report.Validate", "the benchmark",
	"take pairs from Training.Train.PairStarts only", "take pairs from training.pairs() only",
	"take pairs from OperatorTraining.PairStarts only",
	"take pairs from training.pairs() or training.pair_starts() only",
	"read trajectories by Read, Gather, At, Snapshots or Matrix, and never look for their place in memory",
	"compute with the values alone, not with their place in memory",
	"draw from Training.Stream only", "draw from training.rng(purpose) only, and seed libraries from it",
	"read a mat.Matrix by Dims and At, or copy it by mat.DenseCopyOf",
	"compute with the values alone, not with their place in memory",
	"that are no *mat.Dense", "in another layout of memory",
	"report from the goroutine that runs the fit, by Phase and then Advance",
	"report from the thread that runs the fit, by training.phase and then training.advance",
	"call Serve first of all in main", "call serve(…) in the main program, and print nothing before it",
	"give Serve", "give serve", "guard it by a mutex", "guard it by a lock",
	"not on goroutines or maps", "not on threads or sets", "several goroutines", "several threads", "one goroutine",
	"one thread",
	"never a panic", "no exception of another kind",
	"the rules of core.Description", "the rules of a description", "the rules of core.Problem", "the rules of a problem",
	"give nil for", "give None for",
	"there is no Options.Reference", "there is no reference", "Options.Reference", "a reference", "Options.Grace",
	"--grace",
	"returns the context's error", "raises Cancelled", "return the context's error", "raise Cancelled",
	"the context's error", "Cancelled", "its context ends", "the call is cancelled", "the context ends",
	"the call is cancelled",
	"the error of a context that has ended", "Cancelled if the call is cancelled",
	"returned the error:", "raised:", "returned no error", "raised nothing",
	"Training.States", "training.states", "change Options.Settings, or the option's default",
	"change the option's default",
	"Options.Settings", "the default of an option", "Options.Epochs", "--epochs", "Options.Timeout", "--timeout",
	"that Options.Accuracy says", "that the checks ask for",
}

var (
	pythonWords = regexp.MustCompile(`\b(PredictObservable|LeftEigenfunctions|RightEigenfunctions|Predict|Fit|Embed|` +
		`Decode|Classify|Evaluate|Forecast|Open|Score)\b`)
	goError  = regexp.MustCompile(`\b(?:core\.)?Err([A-Z][A-Za-z]+)`)
	returned = regexp.MustCompile(`(?:return an error that wraps|returns|return|gives|by) ((?:core\.)?Err[A-Z])`)
	capital  = regexp.MustCompile(`([a-z])([A-Z])`)

	toPython = phrasesOfErrors()
)

func phrasesOfErrors() *strings.Replacer {
	var pairs []string
	for err, name := range pythonErrors {
		pairs = append(pairs, fmt.Sprintf("return the error %q of package core, wrapped by %%w", err), "raise "+name)
	}
	return strings.NewReplacer(append(pairs, pythonPhrases...)...)
}

func inPython(text string) string {
	text = returned.ReplaceAllStringFunc(toPython.Replace(text), func(phrase string) string {
		verb := "raise "
		if strings.HasPrefix(phrase, "returns") || strings.HasPrefix(phrase, "gives") {
			verb = "raises "
		}
		return verb + phrase[strings.LastIndex(phrase, " ")+1:]
	})
	text = goError.ReplaceAllString(text, "${1}Error")
	return pythonWords.ReplaceAllStringFunc(text, func(name string) string {
		return strings.ToLower(capital.ReplaceAllString(name, "${1}_${2}"))
	})
}
