//go:build unix

package plugin_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/koopbench/koopbench/plugin"
	"github.com/koopbench/koopbench/plugin/internal/server"
	"github.com/koopbench/koopbench/plugin/wire"
)

// This file has what goes wrong before a plugin serves, and what breaks the protocol on the wire.

// begin does what goes wrong before a plugin serves.
func begin(what string) {
	switch what {
	case "hang":
		select {}
	case "exit":
		os.Exit(0)
	case "fail":
		fmt.Fprintln(os.Stderr, "no licence")
		os.Exit(3)
	case "noise":
		fmt.Println("Loading weights, please wait")
	case "flood": // more than a line may have, and no end of it
		_, _ = os.Stdout.Write(bytes.Repeat([]byte("x"), 1<<20))
	case "partial":
		fmt.Print("Loading weights")
		select {}
	case "version":
		fmt.Println("1|7|unix|/tmp/none|grpc")
		select {}
	case "core":
		fmt.Println("9|1|unix|/tmp/none|grpc")
		select {}
	case "tcp":
		fmt.Println("1|1|tcp|127.0.0.1:9|grpc")
		select {}
	case "elsewhere":
		listen("/tmp")
		select {}
	case "no socket":
		fmt.Println("1|1|unix|/tmp/koopbench-no-such-socket|grpc")
		select {}
	case "netrpc":
		fmt.Printf("1|1|unix|%s|netrpc\n", listenQuietly(os.Getenv("PLUGIN_UNIX_SOCKET_DIR")).Addr())
		select {}
	case "certificate":
		fmt.Printf("1|1|unix|%s|grpc|%s\n", listenQuietly(os.Getenv("PLUGIN_UNIX_SOCKET_DIR")).Addr(),
			strings.Repeat("A", 80))
		select {}
	case "deaf": // a socket at which no one answers
		listen(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"))
		select {}
	case "garbage":
		l := listen(os.Getenv("PLUGIN_UNIX_SOCKET_DIR"))
		for {
			c, err := l.Accept()
			if err != nil {
				os.Exit(1)
			}
			_, _ = c.Write(bytes.Repeat([]byte("garbage "), 1000))
			_ = c.Close()
		}
	case "cookie":
		_ = os.Unsetenv("KOOPBENCH_PLUGIN")
	case "children":
		leak(&syscall.SysProcAttr{})
		select {}
	case "nothing":
		plugin.Serve()
	case "twice":
		plugin.Serve(faultyMethod{}, faultyMethod{})
	case "no kind":
		plugin.Serve("a string")
	case "two of a name":
		serveInTheClear(&rogue{server: honest(), what: "two of a name"})
	case "bad name":
		serveInTheClear(&rogue{server: honest(), what: "bad name"})
	case "unknown kind":
		serveInTheClear(&rogue{server: honest(), what: "unknown kind"})
	case "several faults", "no things", "long version", "infinite bound":
		serveInTheClear(&rogue{server: honest(), what: what})
	case "no service":
		serveInTheClear(nil)
	case "hung description":
		serveInTheClear(&rogue{server: honest(), what: "hung description"})
	}
}

func listenQuietly(folder string) net.Listener {
	l, err := net.Listen("unix", filepath.Join(folder, fmt.Sprintf("kb%d.sock", os.Getpid())))
	if err != nil {
		panic(err)
	}
	return l
}

func listen(folder string) net.Listener {
	l := listenQuietly(folder)
	fmt.Printf("1|1|unix|%s|grpc\n", l.Addr())
	return l
}

// serveInTheClear is a plugin by the letter of the protocol, in another language as it were:
// without AutoMTLS and without go-plugin.
func serveInTheClear(s wire.PluginServer) {
	what := due("clear")
	switch what {
	case "leak":
		leak(&syscall.SysProcAttr{})
	case "stray":
		leak(&syscall.SysProcAttr{Setsid: true})
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		if what != "deaf" {
			os.Exit(0)
		}
	}()
	g := grpc.NewServer()
	if s != nil {
		wire.RegisterPluginServer(g, s)
	}
	_ = g.Serve(listen(os.Getenv("PLUGIN_UNIX_SOCKET_DIR")))
	os.Exit(1)
}

// rogue breaks the protocol.
type rogue struct {
	wire.UnimplementedPluginServer
	server *server.Server
	what   string
}

type call = grpc.BidiStreamingServer[wire.Frame, wire.Frame]

func (r *rogue) Describe(ctx context.Context, q *wire.DescribeRequest) (*wire.DescribeReply, error) {
	d, err := r.server.Describe(ctx, q)
	switch r.what {
	case "two of a name":
		d.Things = append(d.Things, d.Things[0])
	case "bad name":
		d.Things[1].Name = "Bad Name"
	case "unknown kind":
		d.Things[0].Kind = 77
	case "several faults":
		d.Things[0].Kind, d.Things[1].Name = 77, "Bad Name"
	case "no things":
		d.Things = nil
	case "long version":
		d.Version = strings.Repeat("1", 1025)
	case "infinite bound":
		d.Things[0].Options = []*wire.Option{{
			Name: "rate", Doc: "a rate", Max: math.Inf(1), Default: &wire.Value{Value: &wire.Value_Number{Number: 1}},
		}}
	case "hung description":
		select {}
	}
	return d, err
}

func (r *rogue) Release(ctx context.Context, q *wire.ReleaseRequest) (*wire.ReleaseReply, error) {
	return r.server.Release(ctx, q)
}

// During a fit "fit …" goes wrong, and the others during what follows it.

func (r *rogue) Fit(c call) error {
	if strings.HasPrefix(r.what, "fit ") && due("frames") != "" {
		return r.reply(c, strings.TrimPrefix(r.what, "fit "))
	}
	return r.server.Fit(c)
}

func (r *rogue) Apply(c call) error {
	if strings.HasPrefix(r.what, "fit ") || due("frames") == "" {
		return r.server.Apply(c)
	}
	return r.reply(c, r.what)
}

func (r *rogue) Evaluate(c call) error { return r.server.Evaluate(c) }

func frames(list ...*wire.Frame) []*wire.Frame { return list }

func failure(f *wire.Failure) *wire.Frame {
	return &wire.Frame{Content: &wire.Frame_Failure{Failure: f}}
}

func chunk(b []byte) *wire.Frame { return &wire.Frame{Content: &wire.Frame_Chunk{Chunk: b}} }

func result(name string, kind wire.Type, shape ...uint64) *wire.Frame {
	return &wire.Frame{Content: &wire.Frame_Result{Result: &wire.Result{Arrays: []*wire.Array{{Name: name, Type: kind,
		Shape: shape}}}}}
}

func fittedFrame(f *wire.Fitted) *wire.Frame {
	return &wire.Frame{Content: &wire.Frame_Fitted{Fitted: f}}
}

// rows is the number of snapshots of shape 2×2 that the tests predict.
const rows = 9

// reply receives the call and answers it wrongly.
func (r *rogue) reply(c call, what string) error {
	if what == "early end" { // before all of the call has come
		return nil
	}
	if _, err := c.Recv(); err != nil {
		return err
	}
	snapshots := func(shape ...uint64) *wire.Frame { return result("snapshots", wire.Type_FLOAT32, shape...) }
	good, whole := snapshots(rows, 2, 2), chunk(make([]byte, rows*16))
	answers := map[string][]*wire.Frame{
		"nothing":         nil,
		"no message":      frames(failure(&wire.Failure{})),
		"no message kind": frames(failure(&wire.Failure{Kind: wire.Failure_SHAPE})),
		"unknown failure": frames(failure(&wire.Failure{Kind: 99, Message: "the weather is bad"})),
		"cancelled":       frames(failure(&wire.Failure{Kind: wire.Failure_CANCELLED, Message: "a download took too long"})),
		"empty frame":     frames(&wire.Frame{}),
		"host frame":      frames(&wire.Frame{Content: &wire.Frame_Apply{Apply: &wire.ApplyCall{}}}),
		"embed":           frames(&wire.Frame{Content: &wire.Frame_Embed{Embed: &wire.Embed{}}}),
		"other result":    frames(fittedFrame(&wire.Fitted{})),
		"too large":       frames(snapshots(1<<40, 2, 2)),
		"overflow":        frames(snapshots(1<<63, 2, 2)),
		"axes":            frames(snapshots(1, 1, 1, 1, 1, 1, 1, 1, 1)),
		"no array":        frames(&wire.Frame{Content: &wire.Frame_Result{Result: &wire.Result{}}}),
		"undelivered":     frames(good),
		"half":            frames(good, chunk(make([]byte, rows*8))),
		"over":            frames(good, chunk(make([]byte, rows*16+4))),
		"odd":             frames(good, chunk(make([]byte, 3))),
		"empty chunk":     frames(good, chunk(nil)),
		"failure midway":  frames(good, failure(&wire.Failure{Message: "the weather is bad"})),
		"long chunk":      frames(good, chunk(make([]byte, 2<<20))),
		"huge message":    frames(good, chunk(make([]byte, 48<<20))),
		"other type":      frames(result("snapshots", wire.Type_INT64, rows, 2, 2), chunk(make([]byte, rows*32))),
		"unknown type":    frames(result("snapshots", 77, rows, 2, 2)),
		"other name":      frames(result("images", wire.Type_FLOAT32, rows, 2, 2), whole),
		"afterwards":      frames(good, whole, whole),
		"no spectrum":     frames(fittedFrame(&wire.Fitted{Abilities: []string{"spectrum"}})),
		"rank":            frames(fittedFrame(&wire.Fitted{Rank: 1 << 60})),
	}
	switch what {
	case "gRPC error":
		return status.Error(codes.Internal, "a bad day")
	case "unavailable":
		return status.Error(codes.Unavailable, "a bad day")
	case "drip":
		_ = c.Send(good)
		for i := range rows * 4 {
			_ = c.Send(chunk(binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(i)))))
			time.Sleep(time.Millisecond)
		}
		return nil
	case "silence":
		_ = c.Send(good)
		select {}
	case "flood":
		for c.Send(&wire.Frame{Content: &wire.Frame_Advance{Advance: &wire.Advance{Done: 1}}}) == nil {
			continue
		}
		return nil
	}
	list, known := answers[what]
	if !known {
		panic("no answer " + what)
	}
	for _, f := range list {
		if err := c.Send(f); err != nil {
			return err
		}
	}
	return nil
}
