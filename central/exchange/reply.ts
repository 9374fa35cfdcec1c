/** What goes back to an agent: acknowledgements, the blobs that it lacks, the manifest. Sealed for it alone. */
import { randomBytes } from 'node:crypto';
import { type ExchangeHeader, type ExchangeMessage, ExchangeSealer } from '../../shared/trust/exchange.ts';
import { encodeJson } from '../../shared/trust/strict.ts';
import { decodeChunk } from '../../shared/wire/live.ts';
import type { Answers } from './answers.ts';
import type { ExchangeClient } from './client.ts';

export interface ReplyOptions {
  readonly client: Pick<ExchangeClient, 'key' | 'handover' | 'chunk'>;
  /** Of the latest export that is answered. */
  readonly header: ExchangeHeader;
  readonly answers: Answers;
  /** Releases that the agent runs. */
  readonly applied: ReadonlySet<string>;
  readonly nowMs: number;
}

/** The bytes of the file. */
export async function* replyFile(options: ReplyOptions): AsyncGenerator<Uint8Array> {
  const { client, nowMs } = options;
  const { agent, series, number } = options.header;
  const salt = randomBytes(32).toString('hex');
  const header: ExchangeHeader = { direction: 'down', agent, series, number, madeMs: nowMs, salt };
  const sealer = new ExchangeSealer(await client.key(header), header);
  yield sealer.header;
  for await (const message of messagesOf(options)) yield sealer.seal(message);
}

async function* messagesOf(options: ReplyOptions): AsyncGenerator<ExchangeMessage> {
  const { client, answers, applied, nowMs } = options;
  const { agent, series, number } = options.header;
  yield { kind: 'about', bytes: encodeJson({ agent, series, number, madeMs: nowMs }) };
  for (const bytes of answers.messages(nowMs)) yield { kind: 'ack', bytes };
  const { manifest, releases } = await client.handover(agent);
  let blobs = 0;
  for (const { releaseSha256, contentSha256 } of releases) {
    if (applied.has(releaseSha256)) continue;
    for (const sha256 of [releaseSha256, contentSha256].filter((hash) => hash !== '')) {
      for (let index = 0, count = 1; index < count; index++) {
        const bytes = await client.chunk(agent, sha256, index);
        count = decodeChunk(bytes).count;
        yield { kind: 'chunk', bytes };
      }
      blobs++;
    }
  }
  // After what it names, so that nothing has to be asked for.
  if (manifest !== null) yield { kind: 'desired', bytes: manifest };
  yield { kind: 'end', bytes: encodeJson({ blobs }) };
}
