/** The model that a challenger is held against. */
import { isMuch } from './late-windows.ts';
import type { AgentModels } from './model-placing.ts';
import type { ModelVersions } from './model-versions.ts';
import type { Documents } from './store/store.ts';
import type { StoredChampion } from './train/trainings.ts';

/** What the agent runs or is to run, newest first, as far as its content is here. */
export async function championOf(
  state: AgentModels | undefined,
  slot: string,
  versions: Pick<ModelVersions, 'get'>,
  documents: Pick<Documents, 'getBlob'>,
): Promise<StoredChampion | null> {
  for (const version of [state?.desired[slot], state?.running[slot]]) {
    const model = version === undefined ? null : await versions.get(version);
    if (model === null || model.state === 'refused' || model.state === 'reverted') continue;
    const content = await documents.getBlob(model.contentSha256);
    if (content === null) continue;
    const incomplete = model.window !== undefined && isMuch(model.window, model.window.lateMinutes);
    return { version: model.version, toMs: model.toMs, outdated: false, incomplete, content };
  }
  return null;
}
