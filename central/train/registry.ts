/** The kinds of model that the central trains. A new kind is one file and one line here. */
import type { ModelKind } from './kind.ts';
import { seasonalModels } from './seasonal-kind.ts';

export const modelKinds: readonly ModelKind<unknown>[] = [...seasonalModels];
