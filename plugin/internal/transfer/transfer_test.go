package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/plugin/wire"
)

// script is a stream whose frames are there already.
type script struct {
	frames []*wire.Frame
	end    error
}

func (s *script) Send(f *wire.Frame) error {
	s.frames = append(s.frames, f)
	return nil
}

func (s *script) Recv() (*wire.Frame, error) {
	if len(s.frames) == 0 {
		if s.end != nil {
			return nil, s.end
		}
		return nil, io.EOF
	}
	f := s.frames[0]
	s.frames = s.frames[1:]
	return f, nil
}

func send(t testing.TB, a Array) []*wire.Frame {
	s := &script{}
	require.NoError(t, Send(s, &wire.Frame{}, a))
	return s.frames[1:]
}

// TestThereAndBack: arrays come out as they went in, whatever their size.
func TestThereAndBack(t *testing.T) {
	for _, n := range []int{0, 1, 5, MaxChunk/16 + 3, MaxChunk/4*3 + 1} {
		pixels, floats, doubles := make([]uint8, 2*n), make([]float32, 2*n), make([]float64, 2*n)
		labels, complexes := make([]int, n), make([]complex128, 2*n)
		for i := range doubles {
			pixels[i], floats[i], doubles[i] = uint8(i), float32(i)/3, -float64(i)/7
			complexes[i] = complex(float64(i), 1/float64(i+1))
			labels[i/2] = -i
		}
		back := func(a Array) Received {
			frames := send(t, a)
			for _, f := range frames {
				assert.NotEmpty(t, f.GetChunk())
				assert.LessOrEqual(t, len(f.GetChunk()), MaxChunk)
			}
			got, err := Receive(&script{frames: frames}, Headers([]Array{a}), a.header.GetName())
			require.NoError(t, err)
			return got[0]
		}
		x, err := core.NewPixelSnapshots(pixels, 2)
		require.NoError(t, err)
		a := back(Snapshots("x", x))
		y, err := a.Snapshots()
		require.NoError(t, err)
		assert.Equal(t, x.Floats(), append([]float32{}, y.Floats()...))
		x, err = core.NewSnapshots(floats, 2)
		require.NoError(t, err)
		a = back(Snapshots("x", x))
		y, err = a.Snapshots()
		require.NoError(t, err)
		assert.Equal(t, floats, append([]float32{}, y.Floats()...))
		a = back(Labels("l", labels))
		gotLabels, err := a.Labels()
		require.NoError(t, err)
		assert.Equal(t, labels, gotLabels)
		a = back(Complexes("c", complexes, 2*n))
		gotComplexes, err := a.Complexes()
		require.NoError(t, err)
		assert.Equal(t, complexes, append([]complex128{}, gotComplexes...))
		if n == 0 {
			a = back(Matrix("m", &mat.Dense{}))
			m, err := a.Matrix()
			require.NoError(t, err)
			assert.True(t, m.IsEmpty())
			continue
		}
		dense := mat.NewDense(n, 2, doubles)
		for _, m := range []mat.Matrix{dense, dense.T(), dense.Slice(0, n, 1, 2)} {
			a = back(Matrix("m", m))
			got, err := a.Matrix()
			require.NoError(t, err)
			assert.True(t, mat.Equal(m, got))
		}
		c := mat.NewCDense(n, 2, complexes)
		a = back(ComplexMatrix("c", c))
		gotC, err := a.ComplexMatrix()
		require.NoError(t, err)
		assert.True(t, mat.CEqual(c, gotC))
	}
}

// TestMemory: an announcement alone takes little memory.
func TestMemory(t *testing.T) {
	h := &wire.Array{Name: "x", Type: wire.Type_FLOAT32, Shape: []uint64{1 << 28}}
	for _, chunks := range []int{0, 1, 20} {
		var frames []*wire.Frame
		for range chunks {
			frames = append(frames, &wire.Frame{Content: &wire.Frame_Chunk{Chunk: make([]byte, MaxChunk)}})
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Receive(&script{frames: frames}, []*wire.Array{h}, "x")
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, io.EOF)
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(100<<20), "for %d chunks of 1024", chunks)
	}
}

// TestFailures: an error keeps its kind and its text on the wire.
func TestFailures(t *testing.T) {
	for _, s := range sentinels {
		err := Error(Failure(fmt.Errorf("a reason: %w", s.err)))
		if s.kind == wire.Failure_CANCELLED {
			assert.ErrorIs(t, err, context.Canceled)
		} else {
			assert.ErrorIs(t, err, s.err)
		}
		assert.ErrorContains(t, err, "a reason")
	}
	assert.NotEmpty(t, Error(&wire.Failure{}).Error())
	err := Error(&wire.Failure{Stack: "somewhere"})
	assert.NoError(t, errors.Unwrap(err))
	assert.ErrorContains(t, err, "somewhere")
}

// FuzzReceive: from any frames come arrays as announced, or an error of the stream or of the
// contract; none are larger than what came.
func FuzzReceive(f *testing.F) {
	seed := func(headers []*wire.Array, frames ...*wire.Frame) {
		var text bytes.Buffer
		_, _ = protodelim.MarshalTo(&text, &wire.Result{Arrays: headers})
		for _, frame := range frames {
			_, _ = protodelim.MarshalTo(&text, frame)
		}
		f.Add(text.Bytes())
	}
	for _, a := range []Array{
		Labels("a", []int{1, -2, 3}), Matrix("a", mat.NewDense(2, 3, []float64{1, 2, math.NaN(), 4, 5, 6})),
		Complexes("a", []complex128{1, 1i}, 2),
		Snapshots("a", core.Snapshots{}), Matrix("a", &mat.Dense{}),
	} {
		seed(Headers([]Array{a}), send(f, a)...)
	}
	x, err := core.NewPixelSnapshots([]uint8{1, 2, 3, 4}, 2)
	require.NoError(f, err)
	seed(Headers([]Array{Snapshots("a", x)}), send(f, Snapshots("a", x))...)
	seed([]*wire.Array{{Name: "a", Type: wire.Type_FLOAT64, Shape: []uint64{1 << 63, 0}}})
	seed([]*wire.Array{{Name: "a", Type: wire.Type_PIXEL8, Shape: []uint64{1 << 30}}}, &wire.Frame{})
	seed([]*wire.Array{{Name: "a", Type: 9}})
	f.Fuzz(func(t *testing.T, text []byte) {
		r := bytes.NewReader(text)
		var result wire.Result
		if protodelim.UnmarshalFrom(r, &result) != nil {
			return
		}
		s := &script{}
		for {
			frame := &wire.Frame{}
			if protodelim.UnmarshalFrom(r, frame) != nil {
				break
			}
			s.frames = append(s.frames, frame)
		}
		arrays, err := Receive(s, result.GetArrays(), "a")
		if err != nil {
			assert.True(t, errors.Is(err, core.ErrContract) || errors.Is(err, io.EOF), "%v", err)
			return
		}
		a := arrays[0]
		numbers := len(a.pixels) + len(a.singles) + len(a.doubles) + len(a.whole) + len(a.complex)
		assert.LessOrEqual(t, numbers, len(text))
		want := 1
		for _, n := range a.Shape {
			want *= n
		}
		assert.Equal(t, want, numbers)
		for _, read := range []func() error{
			func() error { _, err := a.Snapshots(); return err }, func() error { _, err := a.Matrix(); return err },
			func() error { _, err := a.Labels(); return err }, func() error { _, err := a.Complexes(); return err },
			func() error { _, err := a.ComplexMatrix(); return err },
		} {
			if err := read(); err != nil {
				assert.ErrorIs(t, err, core.ErrContract)
			}
		}
	})
}

func BenchmarkReceive(b *testing.B) {
	x, err := core.NewSnapshots(make([]float32, 1<<22), 1<<10)
	require.NoError(b, err)
	a := Snapshots("x", x)
	frames := send(b, a)
	b.SetBytes(4 << 22)
	for b.Loop() {
		_, err := Receive(&script{frames: frames}, Headers([]Array{a}), "x")
		require.NoError(b, err)
	}
}

func BenchmarkSend(b *testing.B) {
	x, err := core.NewSnapshots(make([]float32, 1<<22), 1<<10)
	require.NoError(b, err)
	b.SetBytes(4 << 22)
	for b.Loop() {
		send(b, Snapshots("x", x))
	}
}

// counted is a source of snapshots that counts how many values of it are read.
type counted struct{ read *int }

func (c counted) Read(dst []float32, from int) {
	*c.read += len(dst)
	for i := range dst {
		dst[i] = float32(7*from + i)
	}
}

func (c counted) At(i, j int) float32 { return float32(7*i + j) }

// TestSourcesAreReadAsTheyAreSent: snapshots and their view are read a chunk at a time, and not at
// all if they are too large.
func TestSourcesAreReadAsTheyAreSent(t *testing.T) {
	read := 0
	huge, err := core.NewSourceSnapshots(counted{&read}, 1<<40, 7)
	require.NoError(t, err)
	for _, a := range []Array{Snapshots("x", huge), Matrix("x", huge.View())} {
		err := CheckSize(a)
		require.ErrorIs(t, err, core.ErrShape)
		require.ErrorContains(t, err, "use fewer snapshots, or built-in methods without --isolate")
	}
	assert.Zero(t, read)

	const n = 2*MaxChunk/4/7 + 5
	x := huge.Slice(3, 3+n)
	sent := send(t, Snapshots("x", x))
	assert.Less(t, read, 7*n+8*len(sent))
	got, err := Receive(&script{frames: sent}, Headers([]Array{Snapshots("x", x)}), "x")
	require.NoError(t, err)
	y, err := got[0].Snapshots()
	require.NoError(t, err)
	assert.Equal(t, x.Floats(), append([]float32{}, y.Floats()...))

	got, err = Receive(&script{frames: send(t, Matrix("x", x.View()))}, Headers([]Array{Matrix("x", x.View())}), "x")
	require.NoError(t, err)
	m, err := got[0].Matrix()
	require.NoError(t, err)
	assert.True(t, mat.Equal(x.View(), m))
}
