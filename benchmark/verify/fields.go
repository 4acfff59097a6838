package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// unknownField returns the first field of a JSON text that is not one of the type of v by this exact
// name, or is there twice: this program takes "Accuracy" for "accuracy" and the last of two, and
// other readers do not. It is "" if there is none. The text is one that v was decoded from.
func unknownField(text []byte, v any) (string, error) {
	f := fields{json.NewDecoder(bytes.NewReader(text))}
	name, err := f.ofValue(reflect.TypeOf(v), "")
	return strings.TrimPrefix(name, "."), err
}

// fields reads a text token by token, so that memory does not grow with it.
type fields struct{ *json.Decoder }

func (f fields) ofValue(t reflect.Type, where string) (string, error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if !holdsFields(t) {
		return "", f.skip()
	}
	start, err := f.Token()
	if err != nil || start == nil { // null
		return "", err
	}
	if t.Kind() == reflect.Struct {
		return f.ofObject(t, where)
	}
	for i := 0; f.More(); i++ {
		if name, err := f.ofValue(t.Elem(), fmt.Sprintf("%s[%d]", where, i)); name != "" || err != nil {
			return name, err
		}
	}
	_, err = f.Token()
	return "", err
}

func (f fields) ofObject(t reflect.Type, where string) (string, error) {
	seen := map[string]bool{}
	for f.More() {
		token, err := f.Token()
		if err != nil {
			return "", err
		}
		name := fmt.Sprint(token)
		path := where + "." + name
		known, ok := fieldOf(t, name)
		if !ok {
			var value json.RawMessage
			if err := f.Decode(&value); err != nil || string(value) != "null" {
				return path, err
			}
			continue
		}
		if seen[name] {
			return path + ", which is there twice", nil
		}
		seen[name] = true
		if name, err := f.ofValue(known.Type, path); name != "" || err != nil {
			return name, err
		}
	}
	_, err := f.Token()
	return "", err
}

func (f fields) skip() error {
	var value json.RawMessage
	return f.Decode(&value)
}

// holdsFields reports whether values of a type are structs, or lists of such.
func holdsFields(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice:
		return holdsFields(t.Elem())
	case reflect.Struct:
		return true
	}
	return false
}

// fieldOf is the field of a struct that JSON calls by that name.
func fieldOf(t reflect.Type, name string) (reflect.StructField, bool) {
	for i := range t.NumField() {
		tag, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if tag == name && tag != "-" {
			return t.Field(i), true
		}
	}
	return reflect.StructField{}, false
}
