/** The kinds of targets. */
import { readFile } from 'node:fs/promises';
import { messageOf, PicketError } from '../../../shared/errors.ts';
import type { TargetConfig } from '../config.ts';
import { openEmail } from './email.ts';
import type { Target } from './target.ts';
import { openWebhook } from './webhook.ts';

/** Throws `config.unreadable` where a file that it names cannot be read. */
export async function openTarget(config: TargetConfig, nowMs: () => number): Promise<Target> {
  switch (config.kind) {
    case 'webhook':
      return openWebhook(config, await readCa(config.ca), nowMs);
    case 'email':
      return openEmail(config, await readCa(config.smtp.ca));
  }
}

export async function readCa(path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new PicketError('config.unreadable', `alerts: the CA ${path} cannot be read: ${messageOf(error)}`, {}, error);
  });
}
