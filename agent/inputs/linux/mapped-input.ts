/** An input that is a few mapped files and nothing else. */
import { PicketError } from '../../../shared/errors.ts';
import type { Input, SampleSink } from '../input.ts';
import type { MappedFile } from './mapped-file.ts';

export class MappedInput implements Input {
  readonly #required: readonly MappedFile[];
  readonly #optional: readonly MappedFile[];

  /**
   * @param required files without which the input fails
   * @param optional files that some kernels do not have; without them there is nothing to say
   */
  constructor(required: readonly MappedFile[], optional: readonly MappedFile[] = []) {
    if (required.length + optional.length === 0) throw new PicketError('internal', 'an input without files');
    this.#required = required;
    this.#optional = optional;
  }

  read(_now: unknown, sink: SampleSink): void {
    for (let i = 0; i < this.#required.length; i++) this.#required[i]!.readRequired(sink);
    for (let i = 0; i < this.#optional.length; i++) this.#optional[i]!.read(sink);
  }

  async close(): Promise<void> {
    for (const file of this.#required) file.close();
    for (const file of this.#optional) file.close();
  }
}
