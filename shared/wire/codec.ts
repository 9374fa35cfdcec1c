/** All that is coded with protobuf (edge.proto), in one place to import from. */
export * from './bodies.ts';
export * from './co-moments.ts';
export * from './envelope.ts';
export * from './live.ts';
export * from './record.ts';
