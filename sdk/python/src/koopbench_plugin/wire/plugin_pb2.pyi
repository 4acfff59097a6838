from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Type(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TYPE_UNSPECIFIED: _ClassVar[Type]
    FLOAT32: _ClassVar[Type]
    FLOAT64: _ClassVar[Type]
    INT64: _ClassVar[Type]
    COMPLEX128: _ClassVar[Type]
    PIXEL8: _ClassVar[Type]
    UINT8: _ClassVar[Type]

class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    KIND_UNSPECIFIED: _ClassVar[Kind]
    METHOD: _ClassVar[Kind]
    EMBEDDER: _ClassVar[Kind]
    OPERATOR: _ClassVar[Kind]
    LOSS: _ClassVar[Kind]
    ORACLE: _ClassVar[Kind]
    TASK: _ClassVar[Kind]

class Operation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATION_UNSPECIFIED: _ClassVar[Operation]
    PREDICT: _ClassVar[Operation]
    EMBED: _ClassVar[Operation]
    DECODE: _ClassVar[Operation]
    CLASSIFY: _ClassVar[Operation]
    PREDICT_FEATURES: _ClassVar[Operation]
    PREDICT_OBSERVABLE: _ClassVar[Operation]
    LEFT_EIGENFUNCTIONS: _ClassVar[Operation]
    RIGHT_EIGENFUNCTIONS: _ClassVar[Operation]
    FORECAST: _ClassVar[Operation]
    SAVE: _ClassVar[Operation]
TYPE_UNSPECIFIED: Type
FLOAT32: Type
FLOAT64: Type
INT64: Type
COMPLEX128: Type
PIXEL8: Type
UINT8: Type
KIND_UNSPECIFIED: Kind
METHOD: Kind
EMBEDDER: Kind
OPERATOR: Kind
LOSS: Kind
ORACLE: Kind
TASK: Kind
OPERATION_UNSPECIFIED: Operation
PREDICT: Operation
EMBED: Operation
DECODE: Operation
CLASSIFY: Operation
PREDICT_FEATURES: Operation
PREDICT_OBSERVABLE: Operation
LEFT_EIGENFUNCTIONS: Operation
RIGHT_EIGENFUNCTIONS: Operation
FORECAST: Operation
SAVE: Operation

class Frame(_message.Message):
    __slots__ = ("chunk", "fit", "apply", "evaluate", "features", "load", "phase", "advance", "epoch", "embed", "fitted", "result", "loss", "failure", "checkpoint", "open", "fit_score", "score", "opened")
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    FIT_FIELD_NUMBER: _ClassVar[int]
    APPLY_FIELD_NUMBER: _ClassVar[int]
    EVALUATE_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    ADVANCE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    EMBED_FIELD_NUMBER: _ClassVar[int]
    FITTED_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    LOSS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    FIT_SCORE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    fit: FitCall
    apply: ApplyCall
    evaluate: EvaluateCall
    features: Features
    load: LoadCall
    phase: Phase
    advance: Advance
    epoch: Epoch
    embed: Embed
    fitted: Fitted
    result: Result
    loss: LossValue
    failure: Failure
    checkpoint: State
    open: OpenCall
    fit_score: FitScoreCall
    score: ScoreCall
    opened: Opened
    def __init__(self, chunk: _Optional[bytes] = ..., fit: _Optional[_Union[FitCall, _Mapping]] = ..., apply: _Optional[_Union[ApplyCall, _Mapping]] = ..., evaluate: _Optional[_Union[EvaluateCall, _Mapping]] = ..., features: _Optional[_Union[Features, _Mapping]] = ..., load: _Optional[_Union[LoadCall, _Mapping]] = ..., phase: _Optional[_Union[Phase, _Mapping]] = ..., advance: _Optional[_Union[Advance, _Mapping]] = ..., epoch: _Optional[_Union[Epoch, _Mapping]] = ..., embed: _Optional[_Union[Embed, _Mapping]] = ..., fitted: _Optional[_Union[Fitted, _Mapping]] = ..., result: _Optional[_Union[Result, _Mapping]] = ..., loss: _Optional[_Union[LossValue, _Mapping]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ..., checkpoint: _Optional[_Union[State, _Mapping]] = ..., open: _Optional[_Union[OpenCall, _Mapping]] = ..., fit_score: _Optional[_Union[FitScoreCall, _Mapping]] = ..., score: _Optional[_Union[ScoreCall, _Mapping]] = ..., opened: _Optional[_Union[Opened, _Mapping]] = ...) -> None: ...

class Array(_message.Message):
    __slots__ = ("name", "type", "shape")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: Type
    shape: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, name: _Optional[str] = ..., type: _Optional[_Union[Type, str]] = ..., shape: _Optional[_Iterable[int]] = ...) -> None: ...

class DescribeRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DescribeReply(_message.Message):
    __slots__ = ("things", "version", "sdk", "trajectories")
    THINGS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SDK_FIELD_NUMBER: _ClassVar[int]
    TRAJECTORIES_FIELD_NUMBER: _ClassVar[int]
    things: _containers.RepeatedCompositeFieldContainer[Thing]
    version: str
    sdk: str
    trajectories: bool
    def __init__(self, things: _Optional[_Iterable[_Union[Thing, _Mapping]]] = ..., version: _Optional[str] = ..., sdk: _Optional[str] = ..., trajectories: bool = ...) -> None: ...

class Thing(_message.Message):
    __slots__ = ("kind", "name", "summary", "doc", "options", "exposure", "loads")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    DOC_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    EXPOSURE_FIELD_NUMBER: _ClassVar[int]
    LOADS_FIELD_NUMBER: _ClassVar[int]
    kind: Kind
    name: str
    summary: str
    doc: str
    options: _containers.RepeatedCompositeFieldContainer[Option]
    exposure: str
    loads: bool
    def __init__(self, kind: _Optional[_Union[Kind, str]] = ..., name: _Optional[str] = ..., summary: _Optional[str] = ..., doc: _Optional[str] = ..., options: _Optional[_Iterable[_Union[Option, _Mapping]]] = ..., exposure: _Optional[str] = ..., loads: bool = ...) -> None: ...

class Option(_message.Message):
    __slots__ = ("name", "doc", "default", "min", "max", "choices")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DOC_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    name: str
    doc: str
    default: Value
    min: float
    max: float
    choices: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., doc: _Optional[str] = ..., default: _Optional[_Union[Value, _Mapping]] = ..., min: _Optional[float] = ..., max: _Optional[float] = ..., choices: _Optional[_Iterable[str]] = ...) -> None: ...

class Value(_message.Message):
    __slots__ = ("switch", "whole", "number", "choice")
    SWITCH_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    switch: bool
    whole: int
    number: float
    choice: str
    def __init__(self, switch: bool = ..., whole: _Optional[int] = ..., number: _Optional[float] = ..., choice: _Optional[str] = ...) -> None: ...

class FitCall(_message.Message):
    __slots__ = ("kind", "name", "options", "seed", "lag", "states", "precision", "oracle_dim", "arrays", "checkpoint_seconds", "checkpoints", "train_lengths", "validation_lengths", "feature_lengths", "least_rank")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    ORACLE_DIM_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_SECONDS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    TRAIN_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    FEATURE_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    LEAST_RANK_FIELD_NUMBER: _ClassVar[int]
    kind: Kind
    name: str
    options: _containers.MessageMap[str, Value]
    seed: int
    lag: int
    states: int
    precision: float
    oracle_dim: int
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    checkpoint_seconds: float
    checkpoints: _containers.RepeatedCompositeFieldContainer[State]
    train_lengths: _containers.RepeatedScalarFieldContainer[int]
    validation_lengths: _containers.RepeatedScalarFieldContainer[int]
    feature_lengths: _containers.RepeatedScalarFieldContainer[int]
    least_rank: int
    def __init__(self, kind: _Optional[_Union[Kind, str]] = ..., name: _Optional[str] = ..., options: _Optional[_Mapping[str, Value]] = ..., seed: _Optional[int] = ..., lag: _Optional[int] = ..., states: _Optional[int] = ..., precision: _Optional[float] = ..., oracle_dim: _Optional[int] = ..., arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ..., checkpoint_seconds: _Optional[float] = ..., checkpoints: _Optional[_Iterable[_Union[State, _Mapping]]] = ..., train_lengths: _Optional[_Iterable[int]] = ..., validation_lengths: _Optional[_Iterable[int]] = ..., feature_lengths: _Optional[_Iterable[int]] = ..., least_rank: _Optional[int] = ...) -> None: ...

class State(_message.Message):
    __slots__ = ("name", "facts", "arrays")
    NAME_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    name: str
    facts: bytes
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    def __init__(self, name: _Optional[str] = ..., facts: _Optional[bytes] = ..., arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ...) -> None: ...

class LoadCall(_message.Message):
    __slots__ = ("kind", "name", "oracle_dim", "state")
    KIND_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ORACLE_DIM_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    kind: Kind
    name: str
    oracle_dim: int
    state: State
    def __init__(self, kind: _Optional[_Union[Kind, str]] = ..., name: _Optional[str] = ..., oracle_dim: _Optional[int] = ..., state: _Optional[_Union[State, _Mapping]] = ...) -> None: ...

class Embed(_message.Message):
    __slots__ = ("arrays",)
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    def __init__(self, arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ...) -> None: ...

class Features(_message.Message):
    __slots__ = ("arrays", "failure")
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    failure: Failure
    def __init__(self, arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ..., failure: _Optional[_Union[Failure, _Mapping]] = ...) -> None: ...

class Phase(_message.Message):
    __slots__ = ("name", "total")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    name: str
    total: int
    def __init__(self, name: _Optional[str] = ..., total: _Optional[int] = ...) -> None: ...

class Advance(_message.Message):
    __slots__ = ("done",)
    DONE_FIELD_NUMBER: _ClassVar[int]
    done: int
    def __init__(self, done: _Optional[int] = ...) -> None: ...

class Epoch(_message.Message):
    __slots__ = ("number", "train", "validation")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TRAIN_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_FIELD_NUMBER: _ClassVar[int]
    number: int
    train: float
    validation: float
    def __init__(self, number: _Optional[int] = ..., train: _Optional[float] = ..., validation: _Optional[float] = ...) -> None: ...

class Fitted(_message.Message):
    __slots__ = ("handle", "dim", "rank", "abilities", "report", "arrays")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    DIM_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    ABILITIES_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    handle: int
    dim: int
    rank: int
    abilities: _containers.RepeatedScalarFieldContainer[str]
    report: Report
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    def __init__(self, handle: _Optional[int] = ..., dim: _Optional[int] = ..., rank: _Optional[int] = ..., abilities: _Optional[_Iterable[str]] = ..., report: _Optional[_Union[Report, _Mapping]] = ..., arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ...) -> None: ...

class Report(_message.Message):
    __slots__ = ("untrained", "warnings", "history", "rank", "parameters", "compile_seconds")
    UNTRAINED_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    COMPILE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    untrained: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    history: _containers.RepeatedCompositeFieldContainer[Epoch]
    rank: int
    parameters: int
    compile_seconds: float
    def __init__(self, untrained: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., history: _Optional[_Iterable[_Union[Epoch, _Mapping]]] = ..., rank: _Optional[int] = ..., parameters: _Optional[int] = ..., compile_seconds: _Optional[float] = ...) -> None: ...

class ApplyCall(_message.Message):
    __slots__ = ("handle", "operation", "steps", "arrays")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    handle: int
    operation: Operation
    steps: int
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    def __init__(self, handle: _Optional[int] = ..., operation: _Optional[_Union[Operation, str]] = ..., steps: _Optional[int] = ..., arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ...) -> None: ...

class Result(_message.Message):
    __slots__ = ("arrays", "state")
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    state: State
    def __init__(self, arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ..., state: _Optional[_Union[State, _Mapping]] = ...) -> None: ...

class EvaluateCall(_message.Message):
    __slots__ = ("name", "options", "arrays")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    name: str
    options: _containers.MessageMap[str, Value]
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    def __init__(self, name: _Optional[str] = ..., options: _Optional[_Mapping[str, Value]] = ..., arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ...) -> None: ...

class LossValue(_message.Message):
    __slots__ = ("value", "warnings", "arrays")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    value: float
    warnings: _containers.RepeatedScalarFieldContainer[str]
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    def __init__(self, value: _Optional[float] = ..., warnings: _Optional[_Iterable[str]] = ..., arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ...) -> None: ...

class OpenCall(_message.Message):
    __slots__ = ("name", "options")
    class OptionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Value, _Mapping]] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    options: _containers.MessageMap[str, Value]
    def __init__(self, name: _Optional[str] = ..., options: _Optional[_Mapping[str, Value]] = ...) -> None: ...

class Opened(_message.Message):
    __slots__ = ("handle", "lag", "steps", "rank", "train_lengths", "validation_lengths", "test_lengths", "states", "word", "source", "picture", "measure", "arrays", "interval", "time_unit", "valid_up_to", "leading")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    TRAIN_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    VALIDATION_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    TEST_LENGTHS_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    WORD_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    TIME_UNIT_FIELD_NUMBER: _ClassVar[int]
    VALID_UP_TO_FIELD_NUMBER: _ClassVar[int]
    LEADING_FIELD_NUMBER: _ClassVar[int]
    handle: int
    lag: int
    steps: int
    rank: int
    train_lengths: _containers.RepeatedScalarFieldContainer[int]
    validation_lengths: _containers.RepeatedScalarFieldContainer[int]
    test_lengths: _containers.RepeatedScalarFieldContainer[int]
    states: int
    word: str
    source: str
    picture: str
    measure: Measure
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    interval: float
    time_unit: str
    valid_up_to: float
    leading: int
    def __init__(self, handle: _Optional[int] = ..., lag: _Optional[int] = ..., steps: _Optional[int] = ..., rank: _Optional[int] = ..., train_lengths: _Optional[_Iterable[int]] = ..., validation_lengths: _Optional[_Iterable[int]] = ..., test_lengths: _Optional[_Iterable[int]] = ..., states: _Optional[int] = ..., word: _Optional[str] = ..., source: _Optional[str] = ..., picture: _Optional[str] = ..., measure: _Optional[_Union[Measure, _Mapping]] = ..., arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ..., interval: _Optional[float] = ..., time_unit: _Optional[str] = ..., valid_up_to: _Optional[float] = ..., leading: _Optional[int] = ...) -> None: ...

class Measure(_message.Message):
    __slots__ = ("name", "summary", "unit", "lower_is_better", "least", "most", "chance", "root_mean_square")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    LOWER_IS_BETTER_FIELD_NUMBER: _ClassVar[int]
    LEAST_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    CHANCE_FIELD_NUMBER: _ClassVar[int]
    ROOT_MEAN_SQUARE_FIELD_NUMBER: _ClassVar[int]
    name: str
    summary: str
    unit: str
    lower_is_better: bool
    least: float
    most: float
    chance: float
    root_mean_square: bool
    def __init__(self, name: _Optional[str] = ..., summary: _Optional[str] = ..., unit: _Optional[str] = ..., lower_is_better: bool = ..., least: _Optional[float] = ..., most: _Optional[float] = ..., chance: _Optional[float] = ..., root_mean_square: bool = ...) -> None: ...

class FitScoreCall(_message.Message):
    __slots__ = ("problem", "seed", "name", "states")
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATES_FIELD_NUMBER: _ClassVar[int]
    problem: int
    seed: int
    name: str
    states: int
    def __init__(self, problem: _Optional[int] = ..., seed: _Optional[int] = ..., name: _Optional[str] = ..., states: _Optional[int] = ...) -> None: ...

class ScoreCall(_message.Message):
    __slots__ = ("handle", "step", "arrays")
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    ARRAYS_FIELD_NUMBER: _ClassVar[int]
    handle: int
    step: int
    arrays: _containers.RepeatedCompositeFieldContainer[Array]
    def __init__(self, handle: _Optional[int] = ..., step: _Optional[int] = ..., arrays: _Optional[_Iterable[_Union[Array, _Mapping]]] = ...) -> None: ...

class Failure(_message.Message):
    __slots__ = ("kind", "message", "stack")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        FAILED: _ClassVar[Failure.Kind]
        SHAPE: _ClassVar[Failure.Kind]
        NON_FINITE: _ClassVar[Failure.Kind]
        TOO_SHORT: _ClassVar[Failure.Kind]
        OPTION: _ClassVar[Failure.Kind]
        LABEL: _ClassVar[Failure.Kind]
        UNAVAILABLE: _ClassVar[Failure.Kind]
        UNKNOWN: _ClassVar[Failure.Kind]
        PANIC: _ClassVar[Failure.Kind]
        CANCELLED: _ClassVar[Failure.Kind]
        CONTRACT: _ClassVar[Failure.Kind]
    FAILED: Failure.Kind
    SHAPE: Failure.Kind
    NON_FINITE: Failure.Kind
    TOO_SHORT: Failure.Kind
    OPTION: Failure.Kind
    LABEL: Failure.Kind
    UNAVAILABLE: Failure.Kind
    UNKNOWN: Failure.Kind
    PANIC: Failure.Kind
    CANCELLED: Failure.Kind
    CONTRACT: Failure.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STACK_FIELD_NUMBER: _ClassVar[int]
    kind: Failure.Kind
    message: str
    stack: str
    def __init__(self, kind: _Optional[_Union[Failure.Kind, str]] = ..., message: _Optional[str] = ..., stack: _Optional[str] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ("handle",)
    HANDLE_FIELD_NUMBER: _ClassVar[int]
    handle: int
    def __init__(self, handle: _Optional[int] = ...) -> None: ...

class ReleaseReply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
