import java.time.Duration;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;

/** What each user watched in each hour; a view of an hour that is over comes too late. */
public final class ViewingStatistics {
    record View(String user, String title, String genre, int minutes) {}

    record Hour(int views, int minutes, TreeMap<String, Integer> minutesByGenre) {
        static Hour empty() {
            return new Hour(0, 0, new TreeMap<>());
        }

        Hour with(View view) {
            TreeMap<String, Integer> genres = new TreeMap<>(minutesByGenre);
            genres.merge(view.genre(), view.minutes(), Integer::sum);
            return new Hour(views + 1, minutes + view.minutes(), genres);
        }

        String favourite() {
            return minutesByGenre.entrySet().stream()
                    .reduce((best, next) -> next.getValue() > best.getValue() ? next : best)
                    .map(entry -> entry.getKey())
                    .orElse("");
        }
    }

    record Profile(long hourStart, int views, int minutes, String favouriteGenre) {}

    public static void main(String[] arguments) throws InterruptedException {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream("viewing-events", Consumed.with(Serdes.String(), Json.of(View.class)))
                .groupBy(
                        (device, view) -> view.user(),
                        Grouped.with(Serdes.String(), Json.of(View.class)))
                .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofHours(1)))
                .aggregate(
                        Hour::empty,
                        (user, view, hour) -> hour.with(view),
                        Materialized.with(Serdes.String(), Json.of(Hour.class)))
                .toStream()
                .map((user, hour) -> KeyValue.pair(
                        user.key(),
                        new Profile(
                                user.window().start(),
                                hour.views(),
                                hour.minutes(),
                                hour.favourite())))
                .to(
                        "user-profiles-updated",
                        Produced.with(Serdes.String(), Json.of(Profile.class)));
        Program.run("viewing-statistics", builder.build(), arguments);
    }
}
