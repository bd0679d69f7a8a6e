package peer;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;

/**
 * What of an event the job needs, found by scanning its Avro: `schemas/event.avsc`, field by field. The personal part, which is last,
 * is not looked at.
 */
final class Event {
    /** In order of strength; references are weaker than any identifier. */
    static final List<String> STRENGTH = List.of("customer_number", "loyalty_card", "email", "phone", "device");
    static final int REFERENCE = 64;
    /** Service events of these heads are contacts by the customer. */
    private static final Set<String> CONTACTS = Set.of("contact", "call", "chat", "visit");
    private static final int SERVICE = 2;

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
    /** Whether the case of its matter should hear of it: feedback, complaints, contacts, and what a party did. */
    final boolean tells;
    /** Its first reference, or its anchor where it has none. */
    final byte[] matter;
    /** All of it but the personal part. */
    final byte[] shown;

    private final ByteBuffer scan;

    Event(byte[] message) {
        scan = ByteBuffer.wrap(message, HEADER, message.length - HEADER);
        id = token();
        text();
        number();
        number();
        boolean isWord = number() < SERVICE;
        String type = string();
        time = number();
        number();
        flag();
        anchor = token();
        set = values();
        matter = matter();
        trusted = flag();
        long perspective = number();
        isCustomers = perspective == 0 || perspective == 5;
        flag();
        if (isThere()) {
            text();
            scan.position(scan.position() + 3 * Double.BYTES);
        }
        for (int optional = 0; optional < 5; optional++) {
            if (isThere()) {
                text();
            }
        }
        boolean hasParty = isThere();
        if (hasParty) {
            text();
        }
        tells = isWord || hasParty || CONTACTS.contains(head(type));
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
        int strength = STRENGTH.indexOf(string());
        return strength < 0 ? STRENGTH.size() : strength;
    }

    private byte[] matter() {
        for (int at = 0; at < set.length; at += Token.LENGTH + 1) {
            if (set[at + Token.LENGTH] == REFERENCE) {
                return Token.at(set, at);
            }
        }
        return anchor;
    }

    private static String head(String type) {
        int dot = type.indexOf('.');
        return dot < 0 ? type : type.substring(0, dot);
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

    private String string() {
        byte[] text = new byte[(int) number()];
        scan.get(text);
        return new String(text, StandardCharsets.US_ASCII);
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
