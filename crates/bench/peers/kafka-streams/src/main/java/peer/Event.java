package peer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What of an event the job needs, found by scanning its Avro: `schemas/event.avsc`, field by field. The personal part, which is last,
 * is not looked at.
 */
final class Event {
    /** In order of strength; references are weaker than any identifier. */
    static final List<String> STRENGTH = List.of("customer_number", "loyalty_card", "email", "phone", "device");
    static final int REFERENCE = 64;

    /** The Confluent wire format: a zero and the schema's id. */
    private static final int HEADER = 5;

    final byte[] id;
    final byte[] anchor;
    final long time;
    final boolean trusted;
    /** Whether its perspective makes profiles. */
    final boolean isCustomers;
    /** The values' tokens, and after each the strength of its type: what travels of a set. */
    final byte[] set;
    /** All of it but the personal part. */
    final byte[] shown;

    private final ByteBuffer scan;

    Event(byte[] message) {
        scan = ByteBuffer.wrap(message, HEADER, message.length - HEADER);
        id = token();
        text();
        number();
        number();
        number();
        text();
        time = number();
        number();
        flag();
        anchor = token();
        set = values();
        trusted = flag();
        long perspective = number();
        isCustomers = perspective == 0 || perspective == 5;
        flag();
        if (isThere()) {
            text();
            scan.position(scan.position() + 3 * Double.BYTES);
        }
        for (int optional = 0; optional < 6; optional++) {
            if (isThere()) {
                text();
            }
        }
        if (isThere()) {
            text();
            text();
            number();
        }
        if (isThere()) {
            promise();
        }
        operational();
        if (isThere()) {
            text();
        }
        number();
        number();
        token();
        shown = new byte[scan.position() - HEADER];
        System.arraycopy(message, HEADER, shown, 0, shown.length);
    }

    private byte[] values() {
        ByteBuffer set = null;
        for (int count = block(); count != 0; count = block()) {
            ByteBuffer longer = ByteBuffer.allocate((set == null ? 0 : set.position()) + count * (Token.LENGTH + 1));
            if (set != null) {
                longer.put(set.flip());
            }
            set = longer;
            for (int number = 0; number < count; number++) {
                set.put(token());
                boolean isReference = number() == 1;
                int strength = strength();
                set.put((byte) (isReference ? REFERENCE : strength));
            }
        }
        return set == null ? new byte[0] : set.array();
    }

    private int strength() {
        byte[] name = new byte[(int) number()];
        scan.get(name);
        int strength = STRENGTH.indexOf(new String(name, StandardCharsets.US_ASCII));
        return strength < 0 ? STRENGTH.size() : strength;
    }

    private void promise() {
        token();
        text();
        if (isThere()) {
            number();
        }
        for (int optional = 0; optional < 2; optional++) {
            if (isThere()) {
                text();
            }
        }
        number();
    }

    private void operational() {
        for (int count = block(); count != 0; count = block()) {
            for (int number = 0; number < count; number++) {
                text();
                text();
            }
        }
    }

    /** How many items come next; a negative count has the block's length after it. */
    private int block() {
        long count = number();
        if (count < 0) {
            number();
            count = -count;
        }
        return Math.toIntExact(count);
    }

    private boolean isThere() {
        return number() == 1;
    }

    private boolean flag() {
        return scan.get() == 1;
    }

    private byte[] token() {
        byte[] token = new byte[Token.LENGTH];
        scan.get(token);
        return token;
    }

    private void text() {
        int length = (int) number();
        scan.position(scan.position() + length);
    }

    private long number() {
        long bits = 0;
        int shift = 0;
        byte next;
        do {
            next = scan.get();
            bits |= (long) (next & 0x7f) << shift;
            shift += 7;
        } while (next < 0);
        return (bits >>> 1) ^ -(bits & 1);
    }
}
