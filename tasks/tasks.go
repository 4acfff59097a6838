// Package tasks lists the built-in tasks. Each is a folder of its own.
//
// tasks imports the folders of the tasks and registry; a task imports core and dataset.
package tasks

import (
	"github.com/koopbench/koopbench/registry"
	"github.com/koopbench/koopbench/tasks/orderedmnist"
)

// Default is the name of the task that is meant if none is named.
const Default = orderedmnist.Name

// AddTo adds the built-in tasks to a registry. The error is [core.ErrDuplicate] for a name that is
// taken.
func AddTo(r *registry.Registry) error { return r.Tasks.Add(orderedmnist.Task{}) }
