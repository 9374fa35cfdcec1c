/**
 * The one table of errors. A code is stable for ever: people search for it, scripts match it. Its `hint` says what to
 * do; the message, written where the error is thrown, says what was wrong and where.
 *
 * `status` is what the HTTP API answers, `exit` what a command line ends with.
 */
export const errorTable = {
  'config.invalid': {
    status: 422,
    exit: 78,
    hint: 'Correct the named line of the configuration; `check` tells all of them at once.',
  },
  'config.unreadable': { status: 500, exit: 66, hint: 'Check that the file exists and that this user may read it.' },
  'usage.invalid': { status: 400, exit: 64, hint: 'See --help.' },
  'payload.invalid': {
    status: 400,
    exit: 65,
    hint: 'The sender and the receiver may be of versions that do not fit; compare `version` on both.',
  },
  'payload.too_large': { status: 413, exit: 65, hint: 'Send less at once; limits are in shared/limits.ts.' },
  'frame.corrupt': {
    status: 400,
    exit: 65,
    hint: 'The bytes were damaged on a disk or on the way; the record is set aside and counted as a gap.',
  },
  'signature.invalid': {
    status: 403,
    exit: 77,
    hint: 'The message was altered, or was signed by a key that is not on the trusted list.',
  },
  'manifest.not_newer': {
    status: 409,
    exit: 77,
    hint: 'Publish a manifest with a version above the floor that the agent reports.',
  },
  'manifest.misaddressed': {
    status: 409,
    exit: 77,
    hint: 'The manifest or release names another agent, cohort or kind.',
  },
  'manifest.expired': { status: 409, exit: 77, hint: 'Sign a new manifest; what is already applied stays.' },
  'manifest.unsupported': {
    status: 409,
    exit: 77,
    hint: 'The agent reports which kinds and versions it can run; send one of those or update it.',
  },
  'model.reverted': {
    status: 409,
    exit: 65,
    hint: 'The agent took this release back by itself and does not run it again; train a new one.',
  },
  'blob.mismatch': {
    status: 409,
    exit: 65,
    hint: 'The content does not have the hash that was signed; it is fetched again from the start.',
  },
  'auth.required': { status: 401, exit: 77, hint: 'Log in first.' },
  'auth.denied': { status: 403, exit: 77, hint: 'Check the password, the token or the role.' },
  'raw.refused': {
    status: 403,
    exit: 77,
    hint: "The machine's own configuration (`raw`) keeps full-rate values there; summaries and incidents are not touched.",
  },
  'auth.throttled': { status: 429, exit: 75, hint: 'Too many tries; wait and try again.' },
  'token.invalid': {
    status: 403,
    exit: 77,
    hint: 'The token is unknown, used up, revoked or expired; make a new one with `picket-central enroll`.',
  },
  'ca.mismatch': {
    status: 403,
    exit: 77,
    hint: 'The server is not the central that the token was made by; check the address and the fingerprint.',
  },
  'agent.unknown': { status: 404, exit: 66, hint: 'See GET /api/v1/agents for the ids that exist.' },
  'agent.retired': {
    status: 409,
    exit: 77,
    hint: 'Retiring is for good, and nothing is taken from it any more; enrol the machine anew under another id.',
  },
  not_found: { status: 404, exit: 66, hint: 'See /api/v1/openapi.json for what exists.' },
  conflict: { status: 409, exit: 75, hint: 'Read the current state and try again.' },
  'agent.offline': {
    status: 504,
    exit: 69,
    hint: 'The machine does not answer now; what it held arrives when it is back.',
  },
  'store.newer_format': { status: 500, exit: 78, hint: 'The database was written by a newer version; run that one.' },
  'store.failed': {
    status: 507,
    exit: 74,
    hint: 'Check free space and health of the disk that holds the data directory.',
  },
  'disk.full': {
    status: 507,
    exit: 74,
    hint: 'Free space on the disk of the data directory; nothing acknowledged is lost, and work goes on by itself.',
  },
  'central.unreachable': {
    status: 502,
    exit: 69,
    hint: 'Check the address, the network, and that the central runs; nothing was changed.',
  },
  'target.failed': {
    status: 502,
    exit: 69,
    hint: 'The message says what the receiver answered; check its address and credentials in `alerts` of the configuration.',
  },
  'install.failed': {
    status: 500,
    exit: 73,
    hint: 'Run it as root on a machine with systemd; --print shows the unit.',
  },
  'input.failed': {
    status: 502,
    exit: 69,
    hint: 'The input is tried again with growing pauses; the message says what the source answered.',
  },
  'input.permission': {
    status: 502,
    exit: 77,
    hint: 'Give the agent the group or capability that `picket-agent check` names.',
  },
  'series.limit': {
    status: 422,
    exit: 78,
    hint: 'Raise limits.series, or exclude what multiplies (see the named metric).',
  },
  'listen.failed': { status: 500, exit: 69, hint: 'Another program has the address; choose another port.' },
  internal: { status: 500, exit: 70, hint: 'This is a defect of Picket; the log has its trace.' },
} as const satisfies Record<string, { status: number; exit: number; hint: string }>;

export type ErrorCode = keyof typeof errorTable;

/** An error with a code of the table. `detail` carries facts for machines (line, column, limit, key). */
export class PicketError extends Error {
  readonly code: ErrorCode;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, detail: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'PicketError';
    this.code = code;
    this.detail = detail;
  }

  get hint(): string {
    return errorTable[this.code].hint;
  }
}

/** The code of any thrown value; what is not ours is `internal`. */
export function codeOf(error: unknown): ErrorCode {
  return error instanceof PicketError ? error.code : 'internal';
}

/** Message of any thrown value, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 500);
}
