/** A backup of the whole central, as a stream. Not for the pages: with it comes every key of the fleet. */
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { messageOf, PicketError } from '../../../shared/errors.ts';
import { LONGEST_PASSPHRASE, SHORTEST_PASSPHRASE } from '../../backup/format.ts';
import { audit, type RouteContext } from '../context.ts';
import { answers, object } from '../schemas.ts';

/** A reader who takes nothing for so long holds the store's snapshot, and with it the disk, for nothing. */
const STALL_MS = 60_000;

export function backupRoutes(app: FastifyInstance, context: RouteContext): void {
  let running = false;
  let current: Readable | null = null;
  // A central that is to stop waits for no reader.
  app.addHook('preClose', async () => void current?.destroy(new Error('the central stops')));

  app.post<{ Body: { passphrase: string } }>(
    '/backup',
    {
      schema: {
        operationId: 'makeBackup',
        tags: ['central'],
        summary: 'All of the central in one encrypted file (see `picket-central backup`); with the admin token only',
        body: object({
          passphrase: { type: 'string', minLength: SHORTEST_PASSPHRASE, maxLength: LONGEST_PASSPHRASE },
        }),
        response: {
          ...answers('nothing', 403, 409, 507),
          200: {
            description: 'The file',
            content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
          },
        },
      },
    },
    async (request, reply) => {
      // Whoever may read the data directory has it all anyway; a session of the pages, or who stole one, has not.
      if (request.principal?.session != null) {
        throw new PicketError('auth.denied', 'A backup is made with the admin token alone: `picket-central backup`.');
      }
      if (running) throw new PicketError('conflict', 'A backup is being made already.');
      running = true;
      const pieces = context.services.backup(request.body.passphrase)[Symbol.asyncIterator]();
      let first: IteratorResult<Uint8Array>;
      try {
        await audit(context, request, 'central.backup', '');
        // What is wrong is answered as a problem, as long as nothing was sent.
        first = await pieces.next();
      } catch (error) {
        running = false;
        throw error;
      }
      const all = async function* (): AsyncGenerator<Uint8Array> {
        for (let piece = first; !piece.done; piece = await pieces.next()) {
          const stall = setTimeout(() => stream.destroy(new Error('nobody takes it')), STALL_MS);
          try {
            yield piece.value;
          } finally {
            clearTimeout(stall);
          }
        }
      };
      const stream = Readable.from(all(), { objectMode: false });
      stream.on('error', (error) => request.log.error({ problem: messageOf(error) }, 'a backup broke off'));
      current = stream;
      // Also for a stream that nobody began to read.
      stream.once('close', () => {
        running = false;
        current = null;
        void pieces.return?.();
      });
      return reply.type('application/octet-stream').send(stream);
    },
  );
}
