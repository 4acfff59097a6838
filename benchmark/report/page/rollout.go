package page

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/koopbench/koopbench/benchmark/report/analysis"
	"github.com/koopbench/koopbench/benchmark/results"
	"github.com/koopbench/koopbench/core"
)

// The page has the images of as many runs as fit these limits: of each method the first seed, then
// of each the second, and so on.
const (
	maxSprites     = 200
	maxSpriteBytes = 9 << 20 // in base64
)

// rolloutView is the table of predicted images as it is before a script runs.
type rolloutView struct {
	Rows                  []rolloutLine
	Columns               []rolloutColumn
	Images                int // test images to choose from
	Seeds                 []string
	Seed                  string
	Sprites               template.HTML
	Truth                 string // of the first test image
	Word                  string // for a state, "" if no true ones are known
	Caption, Note, Status string
	Picture               string // "image" or "snapshot"
}

type rolloutColumn struct {
	Step  int
	Truth string
}

type rolloutLine struct {
	Method      int // −1 for the truth
	Name, Which string
	Start       template.HTML
	Cells       []template.HTML
}

// rolloutData is what the script needs to show other images and seeds.
type rolloutData struct {
	Seed    string               `json:"seed"`
	Width   int                  `json:"width"`
	Height  int                  `json:"height"`
	Word    string               `json:"word"`
	Picture string               `json:"picture"`
	Columns []int                `json:"columns"`
	Truth   [][]int              `json:"truth"` // [start][column], the start itself first; empty without states
	Runs    map[int][]rolloutRun `json:"runs"`
}

type rolloutRun struct {
	Seed string `json:"seed"`
	Text string `json:"text"`
	// Image is PNG in base64, a row a test image, a column a step; left out where the page shows it.
	Image  string  `json:"image,omitempty"`
	Labels [][]int `json:"labels"` // [test image][column], null where the page has no images of the run
}

// rollout reads the images of the runs.
func (b *builder) rollout() (rolloutView, *rolloutData, error) {
	task := b.Results.Task
	height, width := b.Pictures.Height, b.Pictures.Width
	v := rolloutView{Images: b.Task.Starts.Len(), Picture: analysis.SnapshotWord(task)}
	if b.Told() {
		v.Word = analysis.StateWord(task)
	}
	d := &rolloutData{Width: width, Height: height, Word: v.Word, Picture: analysis.Capital(v.Picture),
		Columns: b.Columns, Runs: map[int][]rolloutRun{}}
	if task.InTime() { // the page has its forecast instead
		return v, d, nil
	}
	if v.Images == 0 {
		v.Note = fmt.Sprintf("The results have no test %ss.", v.Picture)
		return v, d, nil
	}
	d.Truth = b.Truths(v.Images)
	embedded, total, err := b.rolloutRuns(d)
	if err != nil {
		return v, d, err
	}
	v.Seeds, v.Seed = b.rolloutSeeds(d)
	if v.Seed == "" {
		v.Note = fmt.Sprintf("No run has %ss to show.", v.Picture)
		return v, d, nil
	}
	d.Seed = v.Seed
	truth, err := sprite(1, v.Images, height, width,
		func(_, row int) image.Image { return b.Pictures.Of(b.Task.Starts, row) })
	if err != nil {
		return v, d, err
	}
	sprites := []string{spriteImage("truth", -1, truth, width, height*v.Images)}
	for _, step := range b.Columns {
		v.Columns = append(v.Columns, rolloutColumn{step, b.TruthText(step)})
	}
	v.Truth = b.TruthText(0)
	if len(b.TrueImages) > 0 {
		futures, err := b.spriteOf(b.Task.Futures)
		if err != nil {
			return v, d, err
		}
		sprites = append(sprites, spriteImage("futures", -1, futures, width*len(b.Columns), height*v.Images))
		line := rolloutLine{Method: -1, Name: analysis.TruthWord, Start: template.HTML(cropped("truth", width, height, 0))}
		for column := range b.Columns {
			line.Cells = append(line.Cells, template.HTML(
				fmt.Sprintf(`<span class="cell">%s</span>`, cropped("futures", width, height, column))))
		}
		v.Rows = append(v.Rows, line)
	}
	for _, e := range b.Exhibits {
		line, sheet := b.rolloutLine(e, d, &v)
		v.Rows, sprites = append(v.Rows, line), append(sprites, sheet)
	}
	v.Sprites = template.HTML(strings.Join(sprites, ""))
	v.Status = fmt.Sprintf("%s 1 of %d", analysis.Capital(v.Picture), v.Images)
	v.Caption = fmt.Sprintf("What each method predicts from one test %s. %s", v.Picture, analysis.Conditions(b.Results))
	if b.Told() {
		v.Status += fmt.Sprintf(", %s %s", v.Word, v.Truth)
		v.Caption += fmt.Sprintf(" Below %s: the %s that the oracle sees in it, green if right, "+
			"red and underlined if wrong.", analysis.ASnapshot(task), v.Word)
	}
	v.Status += "; seed " + v.Seed
	v.Note = b.Pictures.Note() + " and shown in 16 levels."
	if n := len(b.Columns); n < b.Steps {
		v.Note += fmt.Sprintf(" %d of %d steps are shown.", n, b.Steps)
	}
	if embedded < total {
		v.Note += fmt.Sprintf(" The page has the %ss of %d of %d runs, in order of seed; the folder runs/ has "+
			"all.", v.Picture, embedded, total)
	}
	return v, d, nil
}

// rolloutLine is the row of a method, and the images in it, "" for none.
func (b *builder) rolloutLine(e analysis.Exhibit, d *rolloutData, v *rolloutView) (line rolloutLine, sheet string) {
	width, height := d.Width, d.Height
	runs := d.Runs[e.ID]
	i := slices.IndexFunc(runs, func(r rolloutRun) bool { return r.Labels != nil })
	line = rolloutLine{Method: e.ID, Name: e.Label, Start: template.HTML(cropped("truth", width, height, 0))}
	if i < 0 {
		line.Which = e.Why()
		if e.Run != nil {
			line.Which = e.ShownRun() + ": its " + v.Picture + "s are not on this page"
		}
	} else {
		line.Which = runs[i].Text
		sheet = spriteImage(fmt.Sprint(e.ID), e.ID, runs[i].Image, width*len(b.Columns), height*v.Images)
		if runs[i].Seed == v.Seed {
			runs[i].Image = "" // the script finds it in the page
		}
	}
	for column, step := range b.Columns {
		cell := `<span class="cell"><span class="seen"></span></span>`
		if i >= 0 {
			cell = fmt.Sprintf(`<span class="cell">%s%s</span>`,
				cropped(fmt.Sprint(e.ID), width, height, column), seen(runs[i].Labels, column, b.Truth(step)))
		}
		line.Cells = append(line.Cells, template.HTML(cell))
	}
	return line, sheet
}

// rolloutRuns fills in the runs of all methods and says of how many of how many the page has the images.
func (b *builder) rolloutRuns(d *rolloutData) (embedded, total int, err error) {
	size, most := 0, 0
	for _, e := range b.Exhibits {
		most = max(most, len(e.Runs))
	}
	for i := range most {
		for _, e := range b.Exhibits {
			if i >= len(e.Runs) {
				continue
			}
			run := e.Runs[i]
			r := rolloutRun{Seed: strconv.FormatInt(run.Seed, 10), Text: analysis.SeedWords([]int64{run.Seed})}
			switch {
			case run.Status != results.StatusOK:
				r.Text += ": " + analysis.OneLine(string(run.Status))
			case !run.Trained:
				r.Text += ", untrained"
			}
			if run.Status == results.StatusOK {
				total++
				if embedded < maxSprites && size < maxSpriteBytes {
					if err := b.embed(&r, run); err != nil {
						return 0, 0, fmt.Errorf("%s, seed %d: %w", e.Label, run.Seed, err)
					}
				}
				if r.Labels == nil {
					r.Text += ": not on this page"
				} else {
					embedded, size = embedded+1, size+len(r.Image)
				}
			}
			d.Runs[e.ID] = append(d.Runs[e.ID], r)
		}
	}
	return embedded, total, nil
}

// embed gives a run its images and labels; one whose arrays are not there stays without.
func (b *builder) embed(r *rolloutRun, run *results.Run) error {
	a, err := b.source.RunArraysOf(b.Results.Task, run)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	images := b.Task.Starts.Len()
	labels, steps := make([][]int, images), a.Rollouts[b.Results.Protocol]
	for row := range images {
		for _, step := range b.Columns {
			if seen := run.Ranked.Labels; step <= len(seen) {
				labels[row] = append(labels[row], seen[step-1][row])
			}
		}
	}
	if r.Image, err = b.spriteOf(steps); err == nil {
		r.Labels = labels
	}
	return err
}

// spriteOf has a row for each start, and a column for each step that is shown.
func (b *builder) spriteOf(steps results.Rollout) (string, error) {
	return sprite(len(b.Columns), b.Task.Starts.Len(), b.Pictures.Height, b.Pictures.Width,
		func(column, row int) image.Image {
			step := b.Columns[column]
			if step > len(steps) || row >= steps[step-1].Len() ||
				!slices.Equal(steps[step-1].Shape(), b.Task.Starts.Shape()) {
				return nil
			}
			return b.Pictures.Of(steps[step-1], row)
		})
}

// rolloutSeeds are the seeds that some run with images has, and the one to begin with: that of the best method.
func (b *builder) rolloutSeeds(d *rolloutData) (seeds []string, first string) {
	var numbers []int64
	for _, e := range b.Exhibits {
		for i, r := range d.Runs[e.ID] {
			if r.Labels != nil {
				if first == "" {
					first = r.Seed
				}
				numbers = append(numbers, e.Runs[i].Seed)
			}
		}
	}
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		seeds = append(seeds, strconv.FormatInt(n, 10))
	}
	return seeds, first
}

// sixteen are the levels of grey of an embedded image.
var sixteen = func() color.Palette {
	p := make(color.Palette, 16)
	for i := range p {
		p[i] = color.Gray{uint8(17 * i)}
	}
	return p
}()

// sprite joins images of one size, nil for none, into one PNG file in base64.
func sprite(columns, rows, height, width int, of func(column, row int) image.Image) (encoded string, err error) {
	defer core.Recover(&err)
	bounds := image.Rect(0, 0, columns*width, rows*height)
	grey := image.NewPaletted(bounds, sixteen)
	var sheet draw.Image = grey
	for i := range grey.Pix {
		grey.Pix[i] = 15
	}
	for row := range rows {
		for column := range columns {
			at := image.Rect(column*width, row*height, (column+1)*width, (row+1)*height)
			switch img := of(column, row).(type) {
			case nil:
			case *image.Gray:
				for y := range height {
					for x, v := range img.Pix[y*img.Stride : y*img.Stride+width] {
						grey.Pix[grey.PixOffset(at.Min.X+x, at.Min.Y+y)] = uint8((int(v) + 8) / 17)
					}
				}
			default:
				if sheet == grey {
					sheet = image.NewNRGBA(bounds)
				}
				draw.Draw(sheet, at, img, image.Point{}, draw.Src)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, sheet); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

func spriteImage(id string, method int, encoded string, width, height int) string {
	attribute := ""
	if method >= 0 {
		attribute = fmt.Sprintf(` data-sprite="%d"`, method)
	}
	return fmt.Sprintf(`<image id="sprite-%s"%s width="%d" height="%d" href="data:image/png;base64,%s"/>`, id, attribute,
		width, height, encoded)
}

// cropped shows the image of a column and the first row of a sprite.
func cropped(id string, width, height, column int) string {
	return fmt.Sprintf(`<svg viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" aria-hidden="true" focusable="false">`+
		`<use href="#sprite-%s" x="%d" y="0"/></svg>`,
		width, height, id, -column*width)
}

// seen writes what the oracle sees in the image of a column, from the first test image.
func seen(labels [][]int, column, truth int) string {
	if len(labels) == 0 || column >= len(labels[0]) {
		return `<span class="seen"></span>`
	}
	word := "wrong"
	if labels[0][column] == truth {
		word = "right"
	}
	return fmt.Sprintf(`<span class="seen %s">%d<span class="unseen"> %[1]s</span></span>`, word, labels[0][column])
}
