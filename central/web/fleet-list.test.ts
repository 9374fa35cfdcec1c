import { describe, expect, it } from 'vitest';
import type { AgentState } from '../api.ts';
import { listed, wantedFrom } from './fleet-list.ts';
import type { Severity } from './states.ts';

function agent(id: string, change: Partial<AgentState> = {}): AgentState {
  return {
    id,
    name: id,
    site: '',
    tags: {},
    enrolledMs: 0,
    retiredMs: null,
    presence: 'online',
    lastSeenMs: 0,
    pendingRecords: 0,
    openIncidents: 0,
    flags: [],
    reported: null,
    modelVersion: null,
    desiredVersion: null,
    vitals: { cpu: null, memory: null, disk: null, load1: null },
    ...change,
  };
}

const fleet = [
  agent('pump-10', { site: 'north', vitals: { cpu: 0.9, memory: null, disk: null, load1: null } }),
  agent('pump-9', { tags: { line: 'b' }, vitals: { cpu: 0.1, memory: null, disk: null, load1: null } }),
  agent('press-1', { presence: 'offline', openIncidents: 5 }),
  agent('press-2', { openIncidents: 1 }),
  agent('old-1', { retiredMs: 5 }),
];
const worst = new Map<string, Severity>([
  ['press-1', 'info'],
  ['press-2', 'critical'],
]);
const ids = (query: string) => listed(fleet, wantedFrom(new URLSearchParams(query)), worst).map(({ id }) => id);

describe('the list of machines', () => {
  it('is sorted by name as people count, without the retired', () => {
    expect(ids('')).toEqual(['press-1', 'press-2', 'pump-9', 'pump-10']);
    expect(ids('sort=name&desc=1')).toEqual(['pump-10', 'pump-9', 'press-2', 'press-1']);
  });

  it('finds all words, in name, site and tags; the retired too when they are searched for', () => {
    expect(ids('q=PUMP north')).toEqual(['pump-10']);
    expect(ids('q=line=b')).toEqual(['pump-9']);
    expect(ids('q=old')).toEqual(['old-1']);
  });

  it('filters by state, site and tag', () => {
    expect(ids('state=offline')).toEqual(['press-1']);
    expect(ids('state=retired')).toEqual(['old-1']);
    expect(ids('state=trouble')).toEqual(['press-1', 'press-2']);
    const flag = { id: 'clone-a', kind: 'clone', sinceMs: 0, parent: null, epochs: [], text: '', advice: '' } as const;
    const flagged = agent('pump-11', { flags: [flag] });
    const trouble = listed([...fleet, flagged], wantedFrom(new URLSearchParams('state=trouble')), new Map());
    expect(trouble.map(({ id }) => id)).toContain('pump-11');
    expect(ids('site=north')).toEqual(['pump-10']);
    expect(ids('tag=line%3Db')).toEqual(['pump-9']);
  });

  it('has the largest first, and the unknown last whichever way', () => {
    expect(ids('sort=cpu')).toEqual(['pump-10', 'pump-9', 'press-1', 'press-2']);
    expect(ids('sort=cpu&desc=0')).toEqual(['pump-9', 'pump-10', 'press-1', 'press-2']);
  });

  it('puts the gravest incident before many small ones', () => {
    expect(ids('sort=incidents').slice(0, 2)).toEqual(['press-2', 'press-1']);
  });

  it('takes nonsense in the address for the default', () => {
    expect(ids('sort=evil&state=none')).toEqual(ids(''));
  });
});
