import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** A minute each and more: begun last they would run alone. */
const slow = [
  'integration/faults/',
  'browser/whole-loop',
  'integration/soak',
  'integration/executable',
  'integration/by-hand',
  'integration/kill',
  'integration/restore',
  'integration/misuse',
];

/** The order of the test files: the slowest first, the others as always. */
export default class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isSlow = ({ moduleId }: TestSpecification) => slow.some((part) => moduleId.includes(part));
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))];
  }
}
