package peer;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * Who is who, decided in one partition: identifiers named together are united, strongest first; two customer numbers never are, and two
 * known customers only on a trusted source's word. A reference follows the identifier it was named with. A profile has the token of its
 * strongest identifier. Limits, windows and decisions by people are left out: they are work that this program is spared.
 */
final class Identify implements Processor<byte[], byte[], byte[], byte[]> {
    /** A value's profile, version and type; the values of a profile; a reference's claim; the last version. */
    static final List<String> STORES = List.of("value", "member", "adopted", "last");

    private static final byte[] HERE = {1};
    private static final byte[] LAST = {0};
    private static final int EXCLUSIVE = 0;
    private static final int KNOWN = 1;

    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> value;
    private KeyValueStore<byte[], byte[]> member;
    private KeyValueStore<byte[], byte[]> adopted;
    private KeyValueStore<byte[], byte[]> last;

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        this.context = context;
        value = context.getStateStore("value");
        member = context.getStateStore("member");
        adopted = context.getStateStore("adopted");
        last = context.getStateStore("last");
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        ByteBuffer set = ByteBuffer.wrap(record.value());
        boolean trusted = set.get() == 1;
        Group first = null;
        byte strongest = 0;
        while (set.hasRemaining()) {
            byte[] token = new byte[Token.LENGTH];
            set.get(token);
            byte strength = set.get();
            if (strength >= Event.REFERENCE) {
                adopt(token, first, trusted, strongest, record.timestamp());
            } else if (first == null) {
                first = group(token, strength);
                strongest = strength;
            } else {
                first = unite(first, group(token, strength), trusted, record.timestamp());
            }
        }
    }

    /** A profile, and the strength of the identifier that it is named by. */
    private record Group(byte[] profile, byte strength) {}

    private Group group(byte[] token, byte strength) {
        byte[] row = value.get(token);
        if (row == null) {
            value.put(token, ByteBuffer.allocate(Token.LENGTH + 1).put(token).put(strength).array());
            member.put(Token.key(token, token), HERE);
            return new Group(token, strength);
        }
        return new Group(Token.at(row, 0), row[Token.LENGTH]);
    }

    private Group unite(Group one, Group other, boolean trusted, long time) {
        boolean refused = one.strength == EXCLUSIVE && other.strength == EXCLUSIVE
            || !trusted && one.strength <= KNOWN && other.strength <= KNOWN;
        int compared = java.util.Arrays.compareUnsigned(one.profile, other.profile);
        if (refused || compared == 0) {
            return one;
        }
        boolean oneWins = one.strength < other.strength || one.strength == other.strength && compared < 0;
        Group winner = oneWins ? one : other;
        Group loser = oneWins ? other : one;
        move(members(loser.profile), loser.profile, winner, time);
        return winner;
    }

    private List<byte[]> members(byte[] profile) {
        List<byte[]> found = new ArrayList<>();
        try (KeyValueIterator<byte[], byte[]> rows = member.range(java.util.Arrays.copyOf(profile, 2 * Token.LENGTH), Token.last(profile))) {
            while (rows.hasNext()) {
                KeyValue<byte[], byte[]> row = rows.next();
                found.add(Token.at(row.key, Token.LENGTH));
            }
        }
        return found;
    }

    /** By a trusted source's word first, then by the stronger type, then by the earlier. */
    private void adopt(byte[] reference, Group group, boolean trusted, byte strength, long time) {
        if (group == null) {
            return;
        }
        byte claim = (byte) ((trusted ? 0 : Event.REFERENCE) + strength);
        byte[] known = adopted.get(reference);
        if (known != null && known[0] <= claim) {
            return;
        }
        adopted.put(reference, new byte[] {claim});
        byte[] row = value.get(reference);
        byte[] from = row == null ? reference : Token.at(row, 0);
        if (!java.util.Arrays.equals(from, group.profile)) {
            move(List.of(reference), from, group, time);
        }
    }

    private void move(List<byte[]> values, byte[] from, Group to, long time) {
        long version = next();
        byte[] decided = ByteBuffer.allocate(Long.BYTES + Token.LENGTH).putLong(version).put(to.profile).array();
        ByteBuffer move = ByteBuffer.allocate(1 + decided.length + values.size() * Token.LENGTH).put(Unify.MOVE).put(decided);
        byte[] row = ByteBuffer.allocate(Token.LENGTH + 1).put(to.profile).put(to.strength).array();
        for (byte[] moved : values) {
            value.put(moved, row);
            member.delete(Token.key(from, moved));
            member.put(Token.key(to.profile, moved), HERE);
            context.forward(new Record<>(moved, decided, time), "to-assignment");
            move.put(moved);
        }
        context.forward(new Record<>(from, move.array(), time), "to-timeline-input");
    }

    private long next() {
        byte[] row = last.get(LAST);
        long next = row == null ? 1 : ByteBuffer.wrap(row).getLong() + 1;
        last.put(LAST, ByteBuffer.allocate(Long.BYTES).putLong(next).array());
        return next;
    }
}
