/** The full-rate values around an incident that its machine pinned and sent. */
import type { FastifyInstance } from 'fastify';
import type { RouteContext } from '../context.ts';

export function evidenceRoutes(_app: FastifyInstance, _context: RouteContext): void {}
