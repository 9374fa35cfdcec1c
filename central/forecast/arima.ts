/**
 * ARIMA by the package `arima` (the C library ctsa as WebAssembly), with what it was seen to do kept out:
 *
 *   - a series of more than about 8,000 values overruns its stack, and after that every fit in the process fails:
 *     at most `MOST_VALUES`; what throws nonetheless is told by `ArimaBroken`, and the process must be begun anew;
 *   - an order without p and q reads memory that nobody wrote: there is none here;
 *   - NaN and infinities come back as NaN, a search that fails as any number, with words on standard output;
 *   - its own choice of an order (`auto`) takes 1 to 3 s with a season of 24 and does not say what it chose, and its
 *     method 2 gave 1e45 for a share: neither is used.
 *
 * The same series gives the same numbers, bit for bit: nothing in it is random.
 */
import ARIMA from 'arima';
import type { Ahead } from './models.ts';

export interface ArimaOrder {
  readonly p: number;
  readonly d: number;
  readonly q: number;
  readonly P: number;
  readonly D: number;
  readonly Q: number;
  readonly s: number;
}

/** The library in this process can't be used any more. */
export class ArimaBroken extends Error {}

const MOST_VALUES = 2000;
/** Conditional sum of squares: as good on these lengths as the likelihood, and it does not depend on a start. */
const SUM_OF_SQUARES = 1;
/** Further away, in sizes of what was seen, it is no forecast but a search that failed. */
const FURTHEST = 100;

/** Null where the library found nothing that makes sense. Throws `ArimaBroken`. */
export function fitArima(values: Float64Array, order: ArimaOrder, horizon: number): Ahead | null {
  const { p, d, q, D, s } = order;
  const least = d + s * D + Math.max(p + q, 2 * s, 10) + 2;
  if (values.length < least || values.length > MOST_VALUES || p + q === 0) return null;
  const model = new ARIMA({ ...order, method: SUM_OF_SQUARES, verbose: false });
  try {
    model.train([...values]);
    const [mean, square] = model.predict(horizon);
    for (let h = 0; h < horizon; h++) {
      if (!(Math.abs(mean[h]!) < FURTHEST) || !(square[h]! >= 0) || !(square[h]! < FURTHEST ** 2)) return null;
    }
    return { mean: Float64Array.from(mean), deviation: Float64Array.from(square, Math.sqrt) };
  } catch (error) {
    throw new ArimaBroken('the ARIMA library failed', { cause: error });
  } finally {
    model.destroy();
  }
}
