/**
 * What a sensor measures, against what a kernel or a program counts. A sensor may freeze, get noisy, lose its lower bits
 * or disagree with the one beside it; a count of bytes that does so is a load that changed, and no bad data.
 */
import type { SeriesDefinition, SeriesKey } from '../series.ts';

/** OpenTelemetry's namespaces of what is counted, and this program's own. */
const counted = /^(system|process|container|k8s|picket|mqtt|http|jvm|nodejs|runtime|db|rule)\./;

/** Whether a sensor may be behind a series of this name. */
export function isMeasured({ name }: Pick<SeriesKey, 'name'>): boolean {
  return !counted.test(name);
}

/** Whether a value that does not move any more may be a fault: what a kernel counts rests when the machine does. */
export function mayFreeze(definition: SeriesDefinition): boolean {
  return definition.steady !== true && isMeasured(definition);
}

/** Whether its values are those of a sensor: no counter's rate, no switch. */
export function isAnalogue(definition: SeriesDefinition): boolean {
  return definition.kind === 'gauge' && isMeasured(definition);
}
