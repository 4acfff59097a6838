// Package tasks lists the built-in tasks. Each has its own folder.
//
// tasks imports registry and the folders of the tasks. A task imports core, dataset and package
// process.
package tasks

import (
	"github.com/koopbench/koopbench/core"
	"github.com/koopbench/koopbench/registry"
	"github.com/koopbench/koopbench/tasks/duffing"
	"github.com/koopbench/koopbench/tasks/linearsystem"
	"github.com/koopbench/koopbench/tasks/logisticmap"
	"github.com/koopbench/koopbench/tasks/lorenz63"
	"github.com/koopbench/koopbench/tasks/orderedmnist"
	"github.com/koopbench/koopbench/tasks/prinz"
	"github.com/koopbench/koopbench/tasks/regimeswitching"
	"github.com/koopbench/koopbench/tasks/trajectory"
)

// Default is the name of the task that is meant if none is named.
const Default = orderedmnist.Name

// AddTo adds the built-in tasks to a registry; the one of the user's own data, which opens nothing without them, on
// request. The error is [core.ErrDuplicate] for a name that is taken.
func AddTo(r *registry.Registry) error {
	for _, task := range []core.Task{
		orderedmnist.Task{}, linearsystem.New(), logisticmap.New(), prinz.New(), lorenz63.New(), duffing.New(),
		regimeswitching.New(),
	} {
		if err := r.Tasks.Add(task); err != nil {
			return err
		}
	}
	return r.Tasks.AddOnRequest(trajectory.Task{})
}
