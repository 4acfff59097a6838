package text

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
)

// WriteLaTeX writes the ranking as a LaTeX table. It has the columns of [WriteTable], except the
// numbers of successful runs and the standard deviations. An interval is below its value. Comments
// contain the facts and notes. The error is [core.ErrUnavailable] if there is no run, or what w
// returns.
func WriteLaTeX(w io.Writer, r *results.Results) error {
	t, err := analysis.NewTable(r)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, latex(t))
	return err
}

func latex(t *analysis.Table) string {
	var b strings.Builder
	needs := "This table needs \\usepackage{booktabs}, and a LaTeX of 2020 or newer."
	for line := range strings.Lines(t.Title + "\n" + needs + "\n\n" + remarks(t)) {
		b.WriteString(strings.TrimRight("% "+line, " \n") + "\n")
	}
	var shown []int
	form := ""
	for i, c := range t.Columns {
		if c.Name == "ok" || c.Name == "sd" {
			continue
		}
		shown = append(shown, i)
		if c.Name == "rank" || c.Name == analysis.MethodColumn {
			form += "l"
		} else {
			form += "r"
		}
	}
	row := func(of func(column int) string) {
		cells := make([]string, len(shown))
		for i, column := range shown {
			cells[i] = of(column)
		}
		b.WriteString(strings.Join(cells, " & ") + ` \\` + "\n")
	}
	wide := func(style, text string) {
		fmt.Fprintf(&b, "\\multicolumn{%d}{l}{%s %s} \\\\\n", len(shown), style, escapeLaTeX(text))
	}
	b.WriteString(`\begin{tabular}{` + form + "}\n\\toprule\n")
	row(func(i int) string { return escapeLaTeX(t.Columns[i].Name) })
	for _, section := range t.Sections {
		b.WriteString("\\midrule\n")
		if section.Heading != "" {
			wide(`\itshape`, section.Heading)
		}
		for _, method := range section.Rows {
			row(func(i int) string { return escapeLaTeX(method.Cells[i].Value) })
			if slices.ContainsFunc(shown, func(i int) bool { return method.Cells[i].Detail != "" }) {
				row(func(i int) string {
					if method.Cells[i].Detail == "" {
						return ""
					}
					return `{\scriptsize ` + escapeLaTeX(method.Cells[i].Detail) + "}"
				})
			}
		}
	}
	b.WriteString("\\bottomrule\n")
	if t.Remark != "" {
		wide(`\footnotesize`, t.Remark)
	}
	b.WriteString("\\end{tabular}\n")
	return b.String()
}

var latexEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, "{", `\{`, "}", `\}`, "$", `\$`, "&", `\&`, "#", `\#`, "%", `\%`, "_", `\_`,
	"^", `\textasciicircum{}`, "~", `\textasciitilde{}`, "<", `\textless{}`, ">", `\textgreater{}`, "|", `\textbar{}`,
	`"`, `\symbol{34}`, "'", `\textquotesingle{}`, "`", `\textasciigrave{}`, "--", "-{}-{}", ",,", ",{},{}",
	"–", "{--}", "…", `\ldots{}`, "†", `\dag{}`, "‡", `\ddag{}`, "±", `\(\pm\)`, "×", `\(\times\)`, "−", `\(-\)`,
)

// escapeLaTeX makes LaTeX show a text as it is.
func escapeLaTeX(text string) string { return latexEscapes.Replace(text) }
