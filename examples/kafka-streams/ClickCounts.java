import java.time.Duration;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;

/** How often each page was clicked in each five minutes. */
public final class ClickCounts {
    record Click(String page, String user) {}

    record Count(long clicks, long windowEnd) {}

    public static void main(String[] arguments) throws InterruptedException {
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream("clickstream", Consumed.with(Serdes.String(), Json.of(Click.class)))
                .groupBy(
                        (user, click) -> click.page(),
                        Grouped.with(Serdes.String(), Json.of(Click.class)))
                .windowedBy(TimeWindows.ofSizeWithNoGrace(Duration.ofMinutes(5)))
                .count(Materialized.with(Serdes.String(), Serdes.Long()))
                .toStream()
                .map((page, clicks) ->
                        KeyValue.pair(page.key(), new Count(clicks, page.window().end())))
                .to("page-view-stats", Produced.with(Serdes.String(), Json.of(Count.class)));
        Program.run("click-counts", builder.build(), arguments);
    }
}
