// Package tasks lists the built-in tasks. Each is a folder of its own.
//
// tasks imports the folders of the tasks and registry; a task imports core, dataset and package process.
package tasks

import (
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
	"github.com/koopbench/koopbench/tasks/orderedmnist"
	"github.com/koopbench/koopbench/tasks/trajectory"
)

// Default is the name of the task that is meant if none is named.
const Default = orderedmnist.Name

// AddTo adds the built-in tasks to a registry. The error is [core.ErrDuplicate] for a name that is
// taken.
func AddTo(r *registry.Registry) error {
	for _, task := range []core.Task{orderedmnist.Task{}, trajectory.Task{}} {
		if err := r.Tasks.Add(task); err != nil {
			return err
		}
	}
	return nil
}
