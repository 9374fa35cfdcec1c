/** How the central keeps the history: how much there is, and how long the disk will last. */
import { useCell } from '../cell.ts';
import { Moment } from '../components/parts.tsx';
import type { Fleet } from '../fleet.ts';
import { formatBytes, formatCount } from '../format.ts';

/** Fewer days than these are a matter of this week. */
const FEW_DAYS = 7;

export function StoreLine({ fleet }: { readonly fleet: Fleet }) {
  const status = useCell(fleet.status);
  if (status === undefined) return <p class="store-line">&nbsp;</p>;
  const { store, version } = status;
  const days = store.daysLeft;
  return (
    <p class={`store-line ${days !== null && days < FEW_DAYS ? 'low' : ''}`} data-role="store">
      <span>
        {days === null ? (
          'how long the disk lasts is known after a day'
        ) : (
          <>
            the disk lasts <b>{days > 3650 ? 'over 10 years' : `${formatCount(days)} days`}</b>
          </>
        )}
      </span>
      <span>
        {formatBytes(store.diskBytes)} kept, {formatBytes(store.freeBytes)} free
      </span>
      <span>{formatCount(store.series)} series</span>
      {store.oldestMs !== null && (
        <span>
          since <Moment ms={store.oldestMs} />
        </span>
      )}
      <span>Picket {version}</span>
    </p>
  );
}
