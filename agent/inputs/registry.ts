/**
 * Every kind of input that there is, by the name that the configuration calls it. A new one is a file, a line here, a
 * golden folder, and its generated documentation.
 */
import type { InputKind } from './input.ts';
import { cpu } from './linux/cpu.ts';
import { load } from './linux/load.ts';
import { memory } from './linux/memory.ts';

/**
 * A kind whose configuration's type is not known here. What its own schema has parsed goes to its own `timing` and
 * `open` and nowhere else, which is what makes this sound.
 */
export type AnyInputKind = InputKind<unknown>;

export const inputKinds: ReadonlyMap<string, AnyInputKind> = new Map([
  ['linux.cpu', any(cpu)],
  ['linux.load', any(load)],
  ['linux.memory', any(memory)],
]);

function any<C>(kind: InputKind<C>): AnyInputKind {
  return kind as unknown as AnyInputKind;
}
