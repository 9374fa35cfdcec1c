/**
 * Every limit of the system that two places must agree on, named once. Relations between limits are asserted at the
 * end of the file, so that a change of one that breaks another fails at the first import.
 *
 * Nothing that comes from outside (a payload, a file, a device's answer) is given memory before its stated size has
 * been held against one of these.
 */

/** An id of an agent, a site, a user: safe in topics, file names and URLs. */
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,64}$/;

export const limits = {
  /** MQTT payload, in either direction. AWS IoT allows 128 KB, so half of it passes everywhere. */
  payloadBytes: 64 * 1024,
  /** One record's body and header, before framing; larger ones are split into independent parts. */
  recordBytes: 48 * 1024,
  /** Frame header: u32 length, u32 CRC-32C, u64 seq. */
  frameHeaderBytes: 16,
  /** What one payload may grow to when it is decompressed. */
  inflatedBytes: 1024 * 1024,
  /** Records in one envelope. */
  recordsPerEnvelope: 1024,
  /** Ranges of seqs in one message. */
  rangesPerMessage: 2048,
  /** Table hashes that an acknowledgement asks for at once. */
  needsPerAck: 64,
  /** Series of one agent (default of the configuration, and the size of its typed arrays). */
  seriesPerAgent: 2000,
  /** Series in one table or in one summary's columns. */
  seriesPerTable: 4096,
  /** Length of a metric name, a unit, an attribute's key or value, in UTF-8 bytes. */
  seriesTextBytes: 255,
  /** Attributes of one series. */
  attributesPerSeries: 16,
  /** Buckets of one sketch on the wire. */
  sketchBuckets: 2048,
  /** One chunk of a blob. */
  chunkBytes: 32 * 1024,
  /** A model's or configuration's blob. */
  blobBytes: 4 * 1024 * 1024,
  /** JSON messages on presence, reported, desired and command. */
  controlBytes: 48 * 1024,
  /** Depth of any JSON or YAML from outside. */
  nestingDepth: 16,
  /** A YAML configuration file. */
  configBytes: 256 * 1024,
  /** Series that one `watch` may stream. */
  watchedSeries: 256,
  /** A text value of an event, in UTF-8 bytes. */
  eventTextBytes: 1024,
} as const;

export const MINUTE_MS = 60_000;
export const TEN_MINUTES_MS = 600_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

function assertRelation(holds: boolean, relation: string): void {
  if (!holds) throw new Error(`shared/limits.ts: ${relation} does not hold`);
}

assertRelation(
  limits.recordBytes + limits.frameHeaderBytes + 1024 <= limits.payloadBytes,
  'a record and its envelope fit into one payload',
);
assertRelation(limits.chunkBytes * 1.4 + 1024 <= limits.payloadBytes, 'a chunk fits into one payload');
assertRelation(limits.payloadBytes <= limits.inflatedBytes, 'a payload may grow when it is decompressed');
assertRelation(limits.seriesPerAgent <= limits.seriesPerTable, 'an agent fits into one table');
assertRelation(limits.controlBytes <= limits.payloadBytes, 'a control message fits into one payload');
