/** The stage for those on site, where one is configured. */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { messageOf, PicketError } from '../../shared/errors.ts';
import type { Incident } from '../../shared/findings.ts';
import type { StartOptions } from '../commands/context.ts';
import { readEnrolment } from '../enrolment.ts';
import { openLink } from '../link.ts';
import type { SiteOptions, SiteStage } from '../site.ts';

/** Throws `config.unreadable` where a CA that is configured cannot be read. */
export async function openSite(
  { config, dataDir, version, log }: StartOptions,
  open: readonly Incident[],
): Promise<SiteStage | null> {
  const settings = config.site;
  if (settings === undefined) return null;
  const ca = settings.ca === undefined ? null : await readCa(settings.ca);
  const enrolment = settings.name === undefined ? await readEnrolment(dataDir).catch(() => null) : null;
  const name = settings.name ?? enrolment?.agent ?? levelOf(hostname());
  // Few machines have one: the others do not load it.
  const { SiteStage: Stage } = await import('../site.ts');
  const { broker, prefix, username, password } = settings;
  const about = { url: broker, clientId: `picket-site-${name}`, ca, subscribe: null, log };
  const credentials = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
  const connect: SiteOptions['connect'] = (will, connected) =>
    openLink({ ...about, ...credentials, will }, { connected, disconnected() {}, message() {} });
  return new Stage({ prefix, name, version, wallMs: Date.now, log, open, connect });
}

/** A host name as a level of a topic. */
function levelOf(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 64) || 'machine';
}

async function readCa(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw new PicketError('config.unreadable', `site.ca: ${path} cannot be read: ${messageOf(error)}`, {}, error);
  });
}
