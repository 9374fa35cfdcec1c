/**
 * The seed of all property tests: fixed, so that a red build speaks of what was changed. `PICKET_SEED=random npm test`
 * looks for what the fixed one misses; what it finds becomes an example of its own.
 */
import fc from 'fast-check';

const wanted = process.env.PICKET_SEED ?? '1';
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) });
