package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// entry is a file of an archive: its name there, where its content is, and its mode.
type entry struct {
	name, file string
	mode       fs.FileMode
}

// writeArchive writes an archive into the folder out, a .zip for Windows and a .tar.gz otherwise,
// with all entries in a folder of the archive's name. It returns the name of the file. All times
// are the given one.
func writeArchive(out, name string, entries []entry, at time.Time, system string) (string, error) {
	write, file := writeTar, name+".tar.gz"
	if system == "windows" {
		write, file = writeZip, name+".zip"
	}
	f, err := os.Create(filepath.Join(out, file))
	if err != nil {
		return "", err
	}
	return file, errors.Join(write(f, name, entries, at), f.Close())
}

func writeTar(w io.Writer, folder string, entries []entry, at time.Time) error {
	compressed, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(compressed)
	for _, e := range entries {
		content, err := os.ReadFile(e.file)
		if err != nil {
			return err
		}
		err = archive.WriteHeader(&tar.Header{
			Name: folder + "/" + e.name, Mode: int64(e.mode), Size: int64(len(content)), ModTime: at,
		})
		if err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), compressed.Close())
}

func writeZip(w io.Writer, folder string, entries []entry, at time.Time) error {
	archive := zip.NewWriter(w)
	for _, e := range entries {
		content, err := os.ReadFile(e.file)
		if err != nil {
			return err
		}
		header := &zip.FileHeader{Name: folder + "/" + e.name, Method: zip.Deflate, Modified: at}
		header.SetMode(e.mode)
		part, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := part.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// writeSums writes the checksums of files in a folder, as sha256sum --check reads them.
func writeSums(dir, name string, files []string) error {
	var text strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(content), file)
	}
	return os.WriteFile(filepath.Join(dir, name), []byte(text.String()), 0o666)
}
