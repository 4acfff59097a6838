package analysis

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/benchmark/stats"
	"github.com/koopbench/koopbench/core"
)

// signed is "+.012", "−.012" or "0".
func signed(v *float64) string {
	if v == nil {
		return None
	}
	text := withoutZero(math.Abs(*v), 3)
	switch {
	case text == "0":
		return text
	case *v < 0:
		return "−" + text
	}
	return "+" + text
}

func probability(p *float64) string {
	switch {
	case p == nil:
		return None
	case *p < 0.001:
		return "<.001"
	}
	return withoutZero(*p, 3)
}

func seconds(v *float64) string {
	if v == nil {
		return None
	}
	return secondsText(*v)
}

// Capital makes the first letter a capital.
func Capital(text string) string {
	return strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):]
}

// Counted returns a number with its word, which gets an s unless the number is 1.
func Counted(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// SeedsOf returns the seeds of runs in ascending order.
func SeedsOf(runs []*results.Run) []int64 {
	seeds := make([]int64, len(runs))
	for i, run := range runs {
		seeds[i] = run.Seed
	}
	slices.Sort(seeds)
	return slices.Compact(seeds)
}

// SeedText writes ascending seeds as the command line takes them: "0..4,7".
func SeedText(seeds []int64) string {
	var parts []string
	for i := 0; i < len(seeds); {
		j := i
		for j+1 < len(seeds) && seeds[j+1] == seeds[j]+1 {
			j++
		}
		first := strconv.FormatInt(seeds[i], 10)
		switch j - i {
		case 0:
			parts = append(parts, first)
		case 1:
			parts = append(parts, first, strconv.FormatInt(seeds[j], 10))
		default:
			parts = append(parts, first+".."+strconv.FormatInt(seeds[j], 10))
		}
		i = j + 1
	}
	return strings.Join(parts, ",")
}

// SeedWords is "seed 3" or "seeds 0..4".
func SeedWords(seeds []int64) string {
	if len(seeds) == 1 {
		return "seed " + SeedText(seeds)
	}
	return "seeds " + SeedText(seeds)
}

// States writes how many states a task has: "5 states".
func States(t results.TaskInfo) string { return Counted(t.States, StateWord(t)) }

// TaskAndStates is the name of a task, and the number of its states if it has any: "NAME: 5
// states".
func TaskAndStates(t results.TaskInfo) string {
	if t.States < 1 {
		return OrUnnamed(t.Name)
	}
	return OrUnnamed(t.Name) + ": " + States(t)
}

// StateWord is the word of a task for its states.
func StateWord(t results.TaskInfo) string {
	return cmp.Or(OneLine(t.StateWord), "state")
}

// SnapshotWord is the word for a snapshot: "image", or "snapshot" if it is drawn in another way.
func SnapshotWord(t results.TaskInfo) string {
	if t.Picture == string(core.ImagePicture) {
		return "image"
	}
	return "snapshot"
}

// ASnapshot is [SnapshotWord] with its article.
func ASnapshot(t results.TaskInfo) string {
	if word := SnapshotWord(t); word != "image" {
		return "a " + word
	}
	return "an image"
}

// TruthWord is the name of the true future in place of a method.
const TruthWord = "truth"

// None replaces a value that does not exist.
const None = "–"

// shortInterval is ".951–.983".
func shortInterval(i stats.Interval, digits int) string {
	return withoutZero(i.Low, digits) + "–" + withoutZero(i.High, digits)
}

// withoutZero writes a number from 0 to 1 in few characters: ".95", "0", "1".
func withoutZero(v float64, digits int) string {
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if whole, part, _ := strings.Cut(text, "."); strings.Trim(part, "0") == "" {
		return whole
	}
	return strings.TrimPrefix(text, "0")
}

func secondsText(mean float64) string {
	switch {
	case math.IsNaN(mean) || math.IsInf(mean, 0):
		return None
	case mean >= 99.95:
		return fmt.Sprintf("%.0f", mean)
	case mean >= 9.995:
		return fmt.Sprintf("%.1f", mean)
	}
	return fmt.Sprintf("%.2f", mean)
}

// OrUnnamed returns a name that can be shown, also if the name is missing.
func OrUnnamed(name string) string { return cmp.Or(OneLine(name), "unnamed") }

// maxText is the number of characters after which a text from the results is cut; results.json has all of it.
const maxText = 400

// OneLine makes text from the results ready to show: clean, and not too long.
func OneLine(text string) string {
	text = Clean(text)
	if utf8.RuneCountInString(text) > maxText {
		text = string([]rune(text)[:maxText-1]) + "…"
	}
	return text
}

// Clean is the first line of a text, without characters that cannot be printed.
func Clean(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD")), "\n")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, text))
}

// PageFile is the file of the page, in the folder of the results.
const PageFile = "report.html"
