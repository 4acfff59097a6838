// Command release makes all files of a release from the tag at HEAD:
//
//	go run ./internal/release [--dry-run] [--out dist]
//
// For each platform it writes an archive (the program, shell completions, man pages, licences) and
// a list of its parts (CycloneDX). Then it writes the SHA-256 checksums of all files and the notes
// of the version. The version is that of the newest section of CHANGELOG.md. Everything is built
// from a clone, so uncommitted changes have no effect. The same commit and toolchain give the same
// bytes.
//
// A dry run needs no tag, and builds only for the platform of this machine.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"},
}

type platform struct{ system, processor string }

func main() {
	dry := flag.Bool("dry-run", false, "ask for no tag, and build for this platform only")
	out := flag.String("out", "dist", "folder of what is made")
	flag.Parse()
	if err := run(context.Background(), *out, *dry); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, dry bool) error {
	changelog, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		return err
	}
	version, date, notes, err := newest(string(changelog))
	if err != nil {
		return err
	}
	citation, err := os.ReadFile("CITATION.cff")
	if err != nil {
		return err
	}
	if want := "version: " + version + "\ndate-released: " + date + "\n"; !strings.Contains(string(citation), want) {
		return fmt.Errorf("CITATION.cff does not have the version and date of CHANGELOG.md:\n%s", want)
	}
	work, err := os.MkdirTemp("", "koopbench-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	b, err := clone(ctx, filepath.Join(work, "source"))
	if err != nil {
		return err
	}
	host, chosen := platform{runtime.GOOS, runtime.GOARCH}, platforms
	if dry {
		chosen = []platform{host}
	} else if err := b.tagged(ctx, "v"+version); err != nil {
		return err
	}

	program := filepath.Join(work, "host", host.program())
	if err := b.build(ctx, host, program); err != nil {
		return err
	}
	said, err := command(ctx, "", program, "version")
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("bench v%s\ncommit    %s\n", version, b.commit); !dry && !strings.HasPrefix(said, want) {
		return fmt.Errorf("the program reports\n%sbut must report\n%s", said, want)
	}
	common, err := b.common(ctx, program, work)
	if err != nil {
		return err
	}
	var made []string
	for _, p := range chosen {
		program := filepath.Join(work, p.system+"-"+p.processor, p.program())
		if err := b.build(ctx, p, program); err != nil {
			return err
		}
		name := fmt.Sprintf("koopbench_%s_%s_%s", version, p.system, p.processor)
		archive, err := writeArchive(out, name, append(common, entry{p.program(), program, 0o755}), b.time, p.system)
		if err != nil {
			return err
		}
		parts := name + ".cdx.json"
		if err := writeParts(filepath.Join(out, parts), program, version, b.time); err != nil {
			return err
		}
		made = append(made, archive, parts)
	}
	if err := os.WriteFile(filepath.Join(out, "notes.md"), []byte(notes), 0o666); err != nil {
		return err
	}
	return writeSums(out, "koopbench_"+version+"_checksums.txt", made)
}

// newest is what the newest section with a date says in a changelog.
func newest(changelog string) (version, date, notes string, err error) {
	for _, section := range strings.Split("\n"+changelog, "\n## ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		version, date, dated := strings.Cut(strings.TrimSuffix(title, ")"), " (")
		if dated {
			return version, date, strings.TrimSpace(text) + "\n", nil
		}
	}
	return "", "", "", errors.New(`CHANGELOG.md has no section with a date, such as "## 0.1.0 (2026-12-01)"`)
}
