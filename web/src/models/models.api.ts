// Calls about how models do here.
import { call, url } from '../api/client';
import type { components } from '../api/schema';

type Schemas = components['schemas'];
export type ModelWatch = Schemas['ModelWatch'];
export type Comparison = Schemas['ModelComparison'];
export type Compared = Schemas['ModelCompared'];
export type Change = Schemas['ModelChange'];
export type CurvePoint = Schemas['ModelCurvePoint'];
export type Ranged = Schemas['ModelRanged'];

const id = encodeURIComponent;

export const models = {
  watches: () => call<ModelWatch[]>('GET', url('/models/watch')),
  lookedInto: (model: string, version: string, why: string) => call<void>('POST', url(`/models/${id(model)}/looked-into`), { version, why }),
  compare: (model: string, from_ms: number, to_ms: number) => call<Comparison>('GET', url(`/models/${id(model)}/compare`, { from_ms, to_ms })),
};
