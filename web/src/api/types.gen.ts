export type CellKind = 'markdown' | 'code';
export type CellState = 'idle' | 'queued' | 'running' | 'done' | 'failed' | 'canceled';
export type Validity = 'fresh' | 'stale';
export type OutputKind = 'text' | 'value' | 'tokens' | 'figure' | 'error';
export type OpKind = 'insert' | 'delete' | 'move' | 'source' | 'set_kind' | 'undo' | 'redo';
export type Code = 'invalid' | 'unauthorized' | 'forbidden' | 'not_found' | 'conflict' | 'canceled' | 'unsupported' | 'too_large' | 'busy' | 'storage' | 'internal';
export interface Op { op: OpKind; cell?: string; index?: number; kind?: CellKind; source?: string }
export interface EditRequest { revision: number; ops: Op[] }
export interface EditResponse { revision: number; seq: number; saved_at: string; cells?: string[] }
export interface RunRequest { cells?: string[]; stale?: boolean; all?: boolean }
export interface RunResponse { jobs: Job[] }
export interface InterruptRequest { cell?: string }
export interface ResolveRequest { keep: string }
export interface CreateRequest { id: string; from?: string }
export interface Workspace { version: string; folder: string; notebooks: NotebookInfo[]; models: ModelInfo[]; analyses: AnalysisInfo[] }
export interface NotebookInfo { id: string; title: string; summary: string; modified: string; cells: number; example: boolean }
export interface ModelInfo { name: string; hash: string; layers: number; heads: number; width: number; vocab: number; params: number; held_out_accuracy?: number; summary: string }
export interface AnalysisInfo { name: string; title: string; summary: string; paper?: string; params: ParamInfo[]; example: string }
export interface ParamInfo { name: string; type: string; required: boolean; default?: string; choices?: string[]; help: string }
export interface Notebook { id: string; title: string; revision: number; cells: Cell[]; can_undo: boolean; can_redo: boolean }
export interface Cell { id: string; kind: CellKind; source: string; html?: string; state: CellState; validity: Validity; millis?: number; ran_at?: string; defines?: string[]; uses?: string[]; outputs?: Output[]; progress?: Progress }
export interface Output { id: string; kind: OutputKind; text?: string; value?: Value; tokens?: Token[]; figure?: Figure; error?: Error }
export interface Value { type: string; repr: string; shape?: number[]; axes?: string[]; dtype?: string }
export interface Token { id: number; text: string; role?: TokenRole; special?: boolean }
export interface Progress { job: string; label: string; done: number; total: number; unit: string; eta_millis: number }
export interface Variable { name: string; cell: string; value: Value }
export interface Snapshot { seq: number; notebook: Notebook; variables: Variable[]; jobs: Job[]; saved_at: string; conflict?: Conflict }
export interface Conflict { path: string; message: string; disk_title: string; disk_cells: number }
export interface Job { id: string; cell: string; revision: number; state: CellState; progress?: Progress }
export interface Error { code: Code; message: string; hint?: string; cell?: string; line?: number; column?: number; trace?: string[] }
export type EventOp = 'snapshot' | 'document' | 'cell.state' | 'cell.output' | 'figure.part' | 'job.progress' | 'variables' | 'notebook.saved' | 'notebook.conflict';
export interface Event { op: EventOp; seq: number; revision: number; snapshot?: Snapshot; document?: Notebook; cell_state?: CellRun; output?: CellOutput; part?: FigurePart; progress?: CellProgress; variables?: Variable[]; saved?: Saved; conflict?: Conflict }
export interface CellRun { cell: string; job: string; state: CellState; validity: Validity; millis?: number; ran_at?: string; clear_outputs?: boolean; stale_cells?: string[] }
export interface CellOutput { cell: string; output: Output }
export interface FigurePart { cell: string; output: string; part: Part }
export interface CellProgress { cell: string; progress: Progress }
export interface Saved { revision: number; at: string }
export type FigureKind = 'tokens' | 'heatmap' | 'lines' | 'table';
export interface Figure { kind: FigureKind; title: string; subtitle: string; caption?: string; tokens?: Tokens; heatmap?: Heatmap; lines?: Lines; table?: Table; arrays: Record<string, WireArray>; texts?: Record<string, Text>; scales?: Record<string, Scale>; badges?: Badge[]; provenance: Provenance }
export interface WireArray { shape: number[]; axes: string[]; f32: string; state?: string }
export interface Text { shape: number[]; values: string[] }
export interface Axis { name: string; labels: string[]; roles?: TokenRole[]; ids?: number[] }
export type TokenRole = '' | 'bos' | 'a' | 'op' | 'b' | 'eq' | 'answer';
export type ScaleKind = 'sequential' | 'diverging' | 'log' | 'linear';
export interface Scale { kind: ScaleKind; lo: number; hi: number; label: string; unit?: string; reverse?: boolean; format: string }
export interface Tokens { rows: Axis; columns: Axis; cell: string; top_tokens: string; top_values: string; metrics: TokenMetric[]; show: string; focus: number; target: string[] }
export interface TokenMetric { name: string; label: string; help: string; values: string; scale: string }
export interface Heatmap { panels: Panel[]; scale: string }
export interface Panel { title: string; rows: Axis; columns: Axis; values: string; errors?: string }
export interface Lines { x: string; x_scale: string; y_scale: string; series: Series[]; x_labels?: string[] }
export interface Series { name: string; y: string; errors?: string; control?: boolean }
export interface Table { columns: Column[]; rows: number }
export interface Column { name: string; unit?: string; values?: string; text?: string; format?: string }
export interface Badge { text: string; ok: boolean; value: number; bound: number; help: string }
export interface Provenance { model?: string; hash?: string; analysis?: string; version?: number; params?: Record<string, unknown>; prompt_ids?: number[][]; basis?: string; seed?: number; program?: string; kernel?: string }
export interface Part { arrays?: ArrayRun[]; texts?: TextRun[]; scales?: Record<string, Scale> }
export interface ArrayRun { name: string; offset: number; f32: string }
export interface TextRun { name: string; offset: number; values: string[] }
