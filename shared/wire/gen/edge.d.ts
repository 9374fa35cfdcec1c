// Generated from shared/wire/edge.proto by scripts/generate/wire.ts. Do not edit.
import * as $protobuf from "protobufjs";
import Long = require("long");

/** Namespace picket. */
export namespace picket {

    /** Namespace edge. */
    namespace edge {

        /** Namespace v1. */
        namespace v1 {

            /** Kind enum. */
            enum Kind {

                /** KIND_UNSPECIFIED value */
                KIND_UNSPECIFIED = 0,

                /** TABLE value */
                TABLE = 1,

                /** SUMMARY value */
                SUMMARY = 2,

                /** ROLLUP value */
                ROLLUP = 3,

                /** CO_MOMENTS value */
                CO_MOMENTS = 4,

                /** EVENT value */
                EVENT = 5,

                /** INCIDENT value */
                INCIDENT = 6,

                /** GAP value */
                GAP = 7,

                /** INVENTORY value */
                INVENTORY = 8,

                /** TOP value */
                TOP = 9,

                /** APPLIED value */
                APPLIED = 10,

                /** EVIDENCE value */
                EVIDENCE = 11,

                /** EPOCH value */
                EPOCH = 12
            }

            /** WallTrust enum. */
            enum WallTrust {

                /** UNKNOWN value */
                UNKNOWN = 0,

                /** YES value */
                YES = 1,

                /** NO value */
                NO = 2
            }

            /**
             * Properties of a Record.
             * @deprecated Use picket.edge.v1.Record.$Properties instead.
             */
            interface IRecord extends picket.edge.v1.Record.$Properties {
            }

            /** Represents a Record. */
            class Record {

                /**
                 * Constructs a new Record.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.Record.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Record kind. */
                kind: picket.edge.v1.Kind;

                /** Record bootId. */
                bootId: Uint8Array;

                /** Record monotonicMs. */
                monotonicMs: (number|Long);

                /** Record wallMs. */
                wallMs: (number|Long);

                /** Record wallTrusted. */
                wallTrusted: picket.edge.v1.WallTrust;

                /** Record body. */
                body: Uint8Array;

                /**
                 * Encodes the specified Record message. Does not implicitly {@link picket.edge.v1.Record.verify|verify} messages.
                 * @param message Record message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.Record.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Record message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.Record & picket.edge.v1.Record.$Shape} Record
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.Record & picket.edge.v1.Record.$Shape;
            }

            namespace Record {

                /** Properties of a Record. */
                interface $Properties {

                    /** Record kind */
                    kind?: (picket.edge.v1.Kind|null);

                    /** Record bootId */
                    bootId?: (Uint8Array|null);

                    /** Record monotonicMs */
                    monotonicMs?: (number|Long|null);

                    /** Record wallMs */
                    wallMs?: (number|Long|null);

                    /** Record wallTrusted */
                    wallTrusted?: (picket.edge.v1.WallTrust|null);

                    /** Record body */
                    body?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Record. */
                type $Shape = picket.edge.v1.Record.$Properties;
            }

            /**
             * Properties of an EpochStart.
             * @deprecated Use picket.edge.v1.EpochStart.$Properties instead.
             */
            interface IEpochStart extends picket.edge.v1.EpochStart.$Properties {
            }

            /** Represents an EpochStart. */
            class EpochStart {

                /**
                 * Constructs a new EpochStart.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.EpochStart.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** EpochStart parent. */
                parent: Uint8Array;

                /** EpochStart parentFinalSeq. */
                parentFinalSeq: (number|Long);

                /** EpochStart startCounter. */
                startCounter: (number|Long);

                /** EpochStart volatile. */
                volatile: boolean;

                /**
                 * Encodes the specified EpochStart message. Does not implicitly {@link picket.edge.v1.EpochStart.verify|verify} messages.
                 * @param message EpochStart message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.EpochStart.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an EpochStart message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.EpochStart & picket.edge.v1.EpochStart.$Shape} EpochStart
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.EpochStart & picket.edge.v1.EpochStart.$Shape;
            }

            namespace EpochStart {

                /** Properties of an EpochStart. */
                interface $Properties {

                    /** EpochStart parent */
                    parent?: (Uint8Array|null);

                    /** EpochStart parentFinalSeq */
                    parentFinalSeq?: (number|Long|null);

                    /** EpochStart startCounter */
                    startCounter?: (number|Long|null);

                    /** EpochStart volatile */
                    volatile?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an EpochStart. */
                type $Shape = picket.edge.v1.EpochStart.$Properties;
            }

            /**
             * Properties of a SeqRange.
             * @deprecated Use picket.edge.v1.SeqRange.$Properties instead.
             */
            interface ISeqRange extends picket.edge.v1.SeqRange.$Properties {
            }

            /** Represents a SeqRange. */
            class SeqRange {

                /**
                 * Constructs a new SeqRange.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.SeqRange.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SeqRange from. */
                from: (number|Long);

                /** SeqRange to. */
                to: (number|Long);

                /**
                 * Encodes the specified SeqRange message. Does not implicitly {@link picket.edge.v1.SeqRange.verify|verify} messages.
                 * @param message SeqRange message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.SeqRange.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SeqRange message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.SeqRange & picket.edge.v1.SeqRange.$Shape} SeqRange
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.SeqRange & picket.edge.v1.SeqRange.$Shape;
            }

            namespace SeqRange {

                /** Properties of a SeqRange. */
                interface $Properties {

                    /** SeqRange from */
                    from?: (number|Long|null);

                    /** SeqRange to */
                    to?: (number|Long|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SeqRange. */
                type $Shape = picket.edge.v1.SeqRange.$Properties;
            }

            /**
             * Properties of an Envelope.
             * @deprecated Use picket.edge.v1.Envelope.$Properties instead.
             */
            interface IEnvelope extends picket.edge.v1.Envelope.$Properties {
            }

            /** Represents an Envelope. */
            class Envelope {

                /**
                 * Constructs a new Envelope.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.Envelope.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Envelope agent. */
                agent: string;

                /** Envelope epoch. */
                epoch: Uint8Array;

                /** Envelope n. */
                n: (number|Long);

                /** Envelope incarnation. */
                incarnation: Uint8Array;

                /** Envelope bootId. */
                bootId: Uint8Array;

                /** Envelope sentMonotonicMs. */
                sentMonotonicMs: (number|Long);

                /** Envelope highestSeq. */
                highestSeq: (number|Long);

                /** Envelope held. */
                held: picket.edge.v1.SeqRange.$Properties[];

                /** Envelope frames. */
                frames: Uint8Array[];

                /** Envelope live. */
                live: boolean;

                /**
                 * Encodes the specified Envelope message. Does not implicitly {@link picket.edge.v1.Envelope.verify|verify} messages.
                 * @param message Envelope message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.Envelope.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Envelope message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.Envelope & picket.edge.v1.Envelope.$Shape} Envelope
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.Envelope & picket.edge.v1.Envelope.$Shape;
            }

            namespace Envelope {

                /** Properties of an Envelope. */
                interface $Properties {

                    /** Envelope agent */
                    agent?: (string|null);

                    /** Envelope epoch */
                    epoch?: (Uint8Array|null);

                    /** Envelope n */
                    n?: (number|Long|null);

                    /** Envelope incarnation */
                    incarnation?: (Uint8Array|null);

                    /** Envelope bootId */
                    bootId?: (Uint8Array|null);

                    /** Envelope sentMonotonicMs */
                    sentMonotonicMs?: (number|Long|null);

                    /** Envelope highestSeq */
                    highestSeq?: (number|Long|null);

                    /** Envelope held */
                    held?: (picket.edge.v1.SeqRange.$Properties[]|null);

                    /** Envelope frames */
                    frames?: (Uint8Array[]|null);

                    /** Envelope live */
                    live?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Envelope. */
                type $Shape = picket.edge.v1.Envelope.$Properties;
            }

            /**
             * Properties of an Ack.
             * @deprecated Use picket.edge.v1.Ack.$Properties instead.
             */
            interface IAck extends picket.edge.v1.Ack.$Properties {
            }

            /** Represents an Ack. */
            class Ack {

                /**
                 * Constructs a new Ack.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.Ack.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Ack incarnation. */
                incarnation: Uint8Array;

                /** Ack epoch. */
                epoch: Uint8Array;

                /** Ack n. */
                n: (number|Long);

                /** Ack sentMonotonicMs. */
                sentMonotonicMs: (number|Long);

                /** Ack centralMs. */
                centralMs: (number|Long);

                /** Ack contiguous. */
                contiguous: (number|Long);

                /** Ack settled. */
                settled: picket.edge.v1.SeqRange.$Properties[];

                /** Ack full. */
                full: boolean;

                /** Ack need. */
                need: Uint8Array[];

                /** Ack renewEpoch. */
                renewEpoch: boolean;

                /**
                 * Encodes the specified Ack message. Does not implicitly {@link picket.edge.v1.Ack.verify|verify} messages.
                 * @param message Ack message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.Ack.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Ack message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.Ack & picket.edge.v1.Ack.$Shape} Ack
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.Ack & picket.edge.v1.Ack.$Shape;
            }

            namespace Ack {

                /** Properties of an Ack. */
                interface $Properties {

                    /** Ack incarnation */
                    incarnation?: (Uint8Array|null);

                    /** Ack epoch */
                    epoch?: (Uint8Array|null);

                    /** Ack n */
                    n?: (number|Long|null);

                    /** Ack sentMonotonicMs */
                    sentMonotonicMs?: (number|Long|null);

                    /** Ack centralMs */
                    centralMs?: (number|Long|null);

                    /** Ack contiguous */
                    contiguous?: (number|Long|null);

                    /** Ack settled */
                    settled?: (picket.edge.v1.SeqRange.$Properties[]|null);

                    /** Ack full */
                    full?: (boolean|null);

                    /** Ack need */
                    need?: (Uint8Array[]|null);

                    /** Ack renewEpoch */
                    renewEpoch?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Ack. */
                type $Shape = picket.edge.v1.Ack.$Properties;
            }

            /**
             * Properties of a SeriesTable.
             * @deprecated Use picket.edge.v1.SeriesTable.$Properties instead.
             */
            interface ISeriesTable extends picket.edge.v1.SeriesTable.$Properties {
            }

            /** Represents a SeriesTable. */
            class SeriesTable {

                /**
                 * Constructs a new SeriesTable.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.SeriesTable.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SeriesTable series. */
                series: picket.edge.v1.SeriesEntry.$Properties[];

                /**
                 * Encodes the specified SeriesTable message. Does not implicitly {@link picket.edge.v1.SeriesTable.verify|verify} messages.
                 * @param message SeriesTable message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.SeriesTable.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SeriesTable message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.SeriesTable & picket.edge.v1.SeriesTable.$Shape} SeriesTable
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.SeriesTable & picket.edge.v1.SeriesTable.$Shape;
            }

            namespace SeriesTable {

                /** Properties of a SeriesTable. */
                interface $Properties {

                    /** SeriesTable series */
                    series?: (picket.edge.v1.SeriesEntry.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SeriesTable. */
                type $Shape = picket.edge.v1.SeriesTable.$Properties;
            }

            /**
             * Properties of a SeriesEntry.
             * @deprecated Use picket.edge.v1.SeriesEntry.$Properties instead.
             */
            interface ISeriesEntry extends picket.edge.v1.SeriesEntry.$Properties {
            }

            /** Represents a SeriesEntry. */
            class SeriesEntry {

                /**
                 * Constructs a new SeriesEntry.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.SeriesEntry.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SeriesEntry name. */
                name: string;

                /** SeriesEntry unit. */
                unit: string;

                /** SeriesEntry attributes. */
                attributes: string[];

                /**
                 * Encodes the specified SeriesEntry message. Does not implicitly {@link picket.edge.v1.SeriesEntry.verify|verify} messages.
                 * @param message SeriesEntry message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.SeriesEntry.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SeriesEntry message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.SeriesEntry & picket.edge.v1.SeriesEntry.$Shape} SeriesEntry
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.SeriesEntry & picket.edge.v1.SeriesEntry.$Shape;
            }

            namespace SeriesEntry {

                /** Properties of a SeriesEntry. */
                interface $Properties {

                    /** SeriesEntry name */
                    name?: (string|null);

                    /** SeriesEntry unit */
                    unit?: (string|null);

                    /** SeriesEntry attributes */
                    attributes?: (string[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SeriesEntry. */
                type $Shape = picket.edge.v1.SeriesEntry.$Properties;
            }

            /**
             * Properties of a Summary.
             * @deprecated Use picket.edge.v1.Summary.$Properties instead.
             */
            interface ISummary extends picket.edge.v1.Summary.$Properties {
            }

            /** Represents a Summary. */
            class Summary {

                /**
                 * Constructs a new Summary.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.Summary.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Summary table. */
                table: Uint8Array;

                /** Summary lengthMs. */
                lengthMs: (number|Long);

                /** Summary nominalMs. */
                nominalMs: number;

                /** Summary endMonotonicMs. */
                endMonotonicMs: (number|Long);

                /** Summary endWallMs. */
                endWallMs: (number|Long);

                /** Summary first. */
                first: number;

                /** Summary columns. */
                columns: Uint8Array;

                /** Summary leftOut. */
                leftOut: Uint8Array;

                /**
                 * Encodes the specified Summary message. Does not implicitly {@link picket.edge.v1.Summary.verify|verify} messages.
                 * @param message Summary message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.Summary.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Summary message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.Summary & picket.edge.v1.Summary.$Shape} Summary
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.Summary & picket.edge.v1.Summary.$Shape;
            }

            namespace Summary {

                /** Properties of a Summary. */
                interface $Properties {

                    /** Summary table */
                    table?: (Uint8Array|null);

                    /** Summary lengthMs */
                    lengthMs?: (number|Long|null);

                    /** Summary nominalMs */
                    nominalMs?: (number|null);

                    /** Summary endMonotonicMs */
                    endMonotonicMs?: (number|Long|null);

                    /** Summary endWallMs */
                    endWallMs?: (number|Long|null);

                    /** Summary first */
                    first?: (number|null);

                    /** Summary columns */
                    columns?: (Uint8Array|null);

                    /** Summary leftOut */
                    leftOut?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Summary. */
                type $Shape = picket.edge.v1.Summary.$Properties;
            }

            /**
             * Properties of a CoMoments.
             * @deprecated Use picket.edge.v1.CoMoments.$Properties instead.
             */
            interface ICoMoments extends picket.edge.v1.CoMoments.$Properties {
            }

            /** Represents a CoMoments. */
            class CoMoments {

                /**
                 * Constructs a new CoMoments.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.CoMoments.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** CoMoments group. */
                group: string;

                /** CoMoments members. */
                members: Uint8Array;

                /** CoMoments windowMs. */
                windowMs: number;

                /** CoMoments featureVersion. */
                featureVersion: number;

                /** CoMoments rows. */
                rows: number;

                /** CoMoments seen. */
                seen: number[];

                /** CoMoments varying. */
                varying: Uint8Array;

                /** CoMoments mean. */
                mean: Uint8Array;

                /** CoMoments products. */
                products: Uint8Array;

                /** CoMoments lengthMs. */
                lengthMs: (number|Long);

                /** CoMoments endMonotonicMs. */
                endMonotonicMs: (number|Long);

                /** CoMoments endWallMs. */
                endWallMs: (number|Long);

                /**
                 * Encodes the specified CoMoments message. Does not implicitly {@link picket.edge.v1.CoMoments.verify|verify} messages.
                 * @param message CoMoments message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.CoMoments.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a CoMoments message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.CoMoments & picket.edge.v1.CoMoments.$Shape} CoMoments
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.CoMoments & picket.edge.v1.CoMoments.$Shape;
            }

            namespace CoMoments {

                /** Properties of a CoMoments. */
                interface $Properties {

                    /** CoMoments group */
                    group?: (string|null);

                    /** CoMoments members */
                    members?: (Uint8Array|null);

                    /** CoMoments windowMs */
                    windowMs?: (number|null);

                    /** CoMoments featureVersion */
                    featureVersion?: (number|null);

                    /** CoMoments rows */
                    rows?: (number|null);

                    /** CoMoments seen */
                    seen?: (number[]|null);

                    /** CoMoments varying */
                    varying?: (Uint8Array|null);

                    /** CoMoments mean */
                    mean?: (Uint8Array|null);

                    /** CoMoments products */
                    products?: (Uint8Array|null);

                    /** CoMoments lengthMs */
                    lengthMs?: (number|Long|null);

                    /** CoMoments endMonotonicMs */
                    endMonotonicMs?: (number|Long|null);

                    /** CoMoments endWallMs */
                    endWallMs?: (number|Long|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a CoMoments. */
                type $Shape = picket.edge.v1.CoMoments.$Properties;
            }

            /**
             * Properties of an Events.
             * @deprecated Use picket.edge.v1.Events.$Properties instead.
             */
            interface IEvents extends picket.edge.v1.Events.$Properties {
            }

            /** Represents an Events. */
            class Events {

                /**
                 * Constructs a new Events.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.Events.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Events events. */
                events: picket.edge.v1.Event.$Properties[];

                /**
                 * Encodes the specified Events message. Does not implicitly {@link picket.edge.v1.Events.verify|verify} messages.
                 * @param message Events message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.Events.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Events message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.Events & picket.edge.v1.Events.$Shape} Events
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.Events & picket.edge.v1.Events.$Shape;
            }

            namespace Events {

                /** Properties of an Events. */
                interface $Properties {

                    /** Events events */
                    events?: (picket.edge.v1.Event.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Events. */
                type $Shape = picket.edge.v1.Events.$Properties;
            }

            /**
             * Properties of an Event.
             * @deprecated Use picket.edge.v1.Event.$Properties instead.
             */
            interface IEvent extends picket.edge.v1.Event.$Properties {
            }

            /** Represents an Event. */
            class Event {

                /**
                 * Constructs a new Event.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.Event.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Event series. */
                series?: (picket.edge.v1.SeriesEntry.$Properties|null);

                /** Event monotonicMs. */
                monotonicMs: (number|Long);

                /** Event wallMs. */
                wallMs: (number|Long);

                /** Event from. */
                from?: (string|null);

                /** Event to. */
                to: string;

                /** Event quality. */
                quality: number;

                /**
                 * Encodes the specified Event message. Does not implicitly {@link picket.edge.v1.Event.verify|verify} messages.
                 * @param message Event message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.Event.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Event message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.Event & picket.edge.v1.Event.$Shape} Event
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.Event & picket.edge.v1.Event.$Shape;
            }

            namespace Event {

                /** Properties of an Event. */
                interface $Properties {

                    /** Event series */
                    series?: (picket.edge.v1.SeriesEntry.$Properties|null);

                    /** Event monotonicMs */
                    monotonicMs?: (number|Long|null);

                    /** Event wallMs */
                    wallMs?: (number|Long|null);

                    /** Event from */
                    from?: (string|null);

                    /** Event to */
                    to?: (string|null);

                    /** Event quality */
                    quality?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Event. */
                type $Shape = picket.edge.v1.Event.$Properties;
            }

            /**
             * Properties of a Gap.
             * @deprecated Use picket.edge.v1.Gap.$Properties instead.
             */
            interface IGap extends picket.edge.v1.Gap.$Properties {
            }

            /** Represents a Gap. */
            class Gap {

                /**
                 * Constructs a new Gap.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.Gap.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Gap epoch. */
                epoch: Uint8Array;

                /** Gap ranges. */
                ranges: picket.edge.v1.SeqRange.$Properties[];

                /** Gap cause. */
                cause: string;

                /** Gap fromWallMs. */
                fromWallMs: (number|Long);

                /** Gap toWallMs. */
                toWallMs: (number|Long);

                /**
                 * Encodes the specified Gap message. Does not implicitly {@link picket.edge.v1.Gap.verify|verify} messages.
                 * @param message Gap message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.Gap.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Gap message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.Gap & picket.edge.v1.Gap.$Shape} Gap
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.Gap & picket.edge.v1.Gap.$Shape;
            }

            namespace Gap {

                /** Properties of a Gap. */
                interface $Properties {

                    /** Gap epoch */
                    epoch?: (Uint8Array|null);

                    /** Gap ranges */
                    ranges?: (picket.edge.v1.SeqRange.$Properties[]|null);

                    /** Gap cause */
                    cause?: (string|null);

                    /** Gap fromWallMs */
                    fromWallMs?: (number|Long|null);

                    /** Gap toWallMs */
                    toWallMs?: (number|Long|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Gap. */
                type $Shape = picket.edge.v1.Gap.$Properties;
            }

            /**
             * Properties of an Evidence.
             * @deprecated Use picket.edge.v1.Evidence.$Properties instead.
             */
            interface IEvidence extends picket.edge.v1.Evidence.$Properties {
            }

            /** Represents an Evidence. */
            class Evidence {

                /**
                 * Constructs a new Evidence.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.Evidence.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Evidence incidentEpoch. */
                incidentEpoch: Uint8Array;

                /** Evidence incidentSeq. */
                incidentSeq: (number|Long);

                /** Evidence table. */
                table: Uint8Array;

                /** Evidence fromWallMs. */
                fromWallMs: (number|Long);

                /** Evidence toWallMs. */
                toWallMs: (number|Long);

                /** Evidence blocks. */
                blocks: picket.edge.v1.SeriesBlock.$Properties[];

                /**
                 * Encodes the specified Evidence message. Does not implicitly {@link picket.edge.v1.Evidence.verify|verify} messages.
                 * @param message Evidence message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.Evidence.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Evidence message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.Evidence & picket.edge.v1.Evidence.$Shape} Evidence
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.Evidence & picket.edge.v1.Evidence.$Shape;
            }

            namespace Evidence {

                /** Properties of an Evidence. */
                interface $Properties {

                    /** Evidence incidentEpoch */
                    incidentEpoch?: (Uint8Array|null);

                    /** Evidence incidentSeq */
                    incidentSeq?: (number|Long|null);

                    /** Evidence table */
                    table?: (Uint8Array|null);

                    /** Evidence fromWallMs */
                    fromWallMs?: (number|Long|null);

                    /** Evidence toWallMs */
                    toWallMs?: (number|Long|null);

                    /** Evidence blocks */
                    blocks?: (picket.edge.v1.SeriesBlock.$Properties[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Evidence. */
                type $Shape = picket.edge.v1.Evidence.$Properties;
            }

            /**
             * Properties of a SeriesBlock.
             * @deprecated Use picket.edge.v1.SeriesBlock.$Properties instead.
             */
            interface ISeriesBlock extends picket.edge.v1.SeriesBlock.$Properties {
            }

            /** Represents a SeriesBlock. */
            class SeriesBlock {

                /**
                 * Constructs a new SeriesBlock.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.SeriesBlock.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SeriesBlock series. */
                series: number;

                /** SeriesBlock data. */
                data: Uint8Array;

                /**
                 * Encodes the specified SeriesBlock message. Does not implicitly {@link picket.edge.v1.SeriesBlock.verify|verify} messages.
                 * @param message SeriesBlock message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.SeriesBlock.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SeriesBlock message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.SeriesBlock & picket.edge.v1.SeriesBlock.$Shape} SeriesBlock
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.SeriesBlock & picket.edge.v1.SeriesBlock.$Shape;
            }

            namespace SeriesBlock {

                /** Properties of a SeriesBlock. */
                interface $Properties {

                    /** SeriesBlock series */
                    series?: (number|null);

                    /** SeriesBlock data */
                    data?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SeriesBlock. */
                type $Shape = picket.edge.v1.SeriesBlock.$Properties;
            }

            /**
             * Properties of a Live.
             * @deprecated Use picket.edge.v1.Live.$Properties instead.
             */
            interface ILive extends picket.edge.v1.Live.$Properties {
            }

            /** Represents a Live. */
            class Live {

                /**
                 * Constructs a new Live.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.Live.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Live request. */
                request: string;

                /** Live wallMs. */
                wallMs: (number|Long);

                /** Live series. */
                series: (number|Long)[];

                /** Live values. */
                values: number[];

                /** Live blocks. */
                blocks: picket.edge.v1.LiveBlock.$Properties[];

                /** Live last. */
                last: boolean;

                /** Live error. */
                error: string;

                /**
                 * Encodes the specified Live message. Does not implicitly {@link picket.edge.v1.Live.verify|verify} messages.
                 * @param message Live message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.Live.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Live message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.Live & picket.edge.v1.Live.$Shape} Live
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.Live & picket.edge.v1.Live.$Shape;
            }

            namespace Live {

                /** Properties of a Live. */
                interface $Properties {

                    /** Live request */
                    request?: (string|null);

                    /** Live wallMs */
                    wallMs?: (number|Long|null);

                    /** Live series */
                    series?: ((number|Long)[]|null);

                    /** Live values */
                    values?: (number[]|null);

                    /** Live blocks */
                    blocks?: (picket.edge.v1.LiveBlock.$Properties[]|null);

                    /** Live last */
                    last?: (boolean|null);

                    /** Live error */
                    error?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Live. */
                type $Shape = picket.edge.v1.Live.$Properties;
            }

            /**
             * Properties of a LiveBlock.
             * @deprecated Use picket.edge.v1.LiveBlock.$Properties instead.
             */
            interface ILiveBlock extends picket.edge.v1.LiveBlock.$Properties {
            }

            /** Represents a LiveBlock. */
            class LiveBlock {

                /**
                 * Constructs a new LiveBlock.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.LiveBlock.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** LiveBlock series. */
                series: (number|Long);

                /** LiveBlock wallMs. */
                wallMs: (number|Long)[];

                /** LiveBlock values. */
                values: number[];

                /**
                 * Encodes the specified LiveBlock message. Does not implicitly {@link picket.edge.v1.LiveBlock.verify|verify} messages.
                 * @param message LiveBlock message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.LiveBlock.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a LiveBlock message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.LiveBlock & picket.edge.v1.LiveBlock.$Shape} LiveBlock
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.LiveBlock & picket.edge.v1.LiveBlock.$Shape;
            }

            namespace LiveBlock {

                /** Properties of a LiveBlock. */
                interface $Properties {

                    /** LiveBlock series */
                    series?: (number|Long|null);

                    /** LiveBlock wallMs */
                    wallMs?: ((number|Long)[]|null);

                    /** LiveBlock values */
                    values?: (number[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a LiveBlock. */
                type $Shape = picket.edge.v1.LiveBlock.$Properties;
            }

            /**
             * Properties of a Chunk.
             * @deprecated Use picket.edge.v1.Chunk.$Properties instead.
             */
            interface IChunk extends picket.edge.v1.Chunk.$Properties {
            }

            /** Represents a Chunk. */
            class Chunk {

                /**
                 * Constructs a new Chunk.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: picket.edge.v1.Chunk.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Chunk hash. */
                hash: Uint8Array;

                /** Chunk index. */
                index: number;

                /** Chunk count. */
                count: number;

                /** Chunk sizeBytes. */
                sizeBytes: (number|Long);

                /** Chunk data. */
                data: Uint8Array;

                /**
                 * Encodes the specified Chunk message. Does not implicitly {@link picket.edge.v1.Chunk.verify|verify} messages.
                 * @param message Chunk message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: picket.edge.v1.Chunk.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Chunk message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {picket.edge.v1.Chunk & picket.edge.v1.Chunk.$Shape} Chunk
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): picket.edge.v1.Chunk & picket.edge.v1.Chunk.$Shape;
            }

            namespace Chunk {

                /** Properties of a Chunk. */
                interface $Properties {

                    /** Chunk hash */
                    hash?: (Uint8Array|null);

                    /** Chunk index */
                    index?: (number|null);

                    /** Chunk count */
                    count?: (number|null);

                    /** Chunk sizeBytes */
                    sizeBytes?: (number|Long|null);

                    /** Chunk data */
                    data?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Chunk. */
                type $Shape = picket.edge.v1.Chunk.$Properties;
            }
        }
    }
}
