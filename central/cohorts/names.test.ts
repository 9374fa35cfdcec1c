import { describe, expect, it } from 'vitest';
import { someMachine } from './fixtures.ts';
import { isName, nameFor } from './names.ts';

const pi = { arch: 'arm64', device: 'Raspberry Pi 4 Model B Rev 1.2' };

describe('names of cohorts', () => {
  it('say what most of the machines are, with a letter that nobody has', () => {
    const machines = [someMachine({}, pi), someMachine({}, { ...pi, device: 'Raspberry Pi 4 Model B Rev 1.4' })];
    expect(nameFor(machines, new Set())).toBe('4-core-arm64-raspberry-pi-4-a');
    expect(nameFor(machines, new Set(['4-core-arm64-raspberry-pi-4-a']))).toBe('4-core-arm64-raspberry-pi-4-b');
  });

  it('leave out in what they differ', () => {
    const machines = [someMachine({}), someMachine({}, { processors: 16, device: 'Other' })];
    expect(nameFor(machines, new Set())).toBe('amd64-linux-a');
    expect(nameFor([{ facts: {}, sizes: {}, families: [], behaviour: new Map() }], new Set())).toBe('machines-a');
  });

  it('are always fit for a release, however odd a device calls itself, and after z comes aa', () => {
    const odd = [someMachine({}, { device: `${'Ünïcode / "x" '.repeat(20)}` })];
    const taken = new Set<string>();
    for (let n = 0; n < 60; n++) {
      const name = nameFor(odd, taken);
      expect(isName(name)).toBe(true);
      taken.add(name);
    }
    expect([...taken].at(26)).toMatch(/-aa$/);
  });

  it('by hand are no word that means something else', () => {
    expect(['pumps', 'alone', 'all', '', 'a b', 'x'.repeat(65)].filter(isName)).toEqual(['pumps']);
  });
});
